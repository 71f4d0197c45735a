import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allDashboards, fileText } from '../../compose/dashboards/index.js';
import { NOT_BLOCKING } from '../../compose/dashboards/queries.js';
import { COMPOSE } from '../support/prometheus-process.js';
import { filledIn, storedDashboards } from './panel-queries.js';

const stored = storedDashboards();

describe('the dashboards', () => {
  it('are committed as their sources say: otherwise run `npm run dashboards`', () => {
    expect([...stored.keys()].sort()).toEqual([...allDashboards().keys()].sort());
    for (const [file, dashboard] of allDashboards()) {
      expect(readFileSync(join(COMPOSE, 'grafana/dashboards', file), 'utf8'), file).toBe(fileText(dashboard));
    }
  });

  it('leave out the same commands as the recording rules', () => {
    const rules = readFileSync(join(COMPOSE, 'rules/recording.yml'), 'utf8');
    expect(rules.split(`{${NOT_BLOCKING}}`)).toHaveLength(3);
    expect(rules.split('_duration_seconds_bucket{')).toHaveLength(3);
  });

  it.each([...stored])(
    '%s: every panel says what it shows and what to do, and has a unit and thresholds',
    (_, board) => {
      const panels = board.panels.filter((panel) => panel.type !== 'row');
      expect(panels.length).toBeGreaterThan(8);
      for (const panel of panels) {
        const { title, description = '', fieldConfig, targets = [] } = panel;
        const [shows, advice] = description.split('\n\n**When it looks bad:** ');
        expect(shows, title).toMatch(/^[A-Z].{15,}\.$/);
        expect(advice, title).toMatch(/^.{15,}[.?]$/);
        expect(fieldConfig?.defaults.unit, title).not.toBe(undefined);
        expect(fieldConfig?.defaults.thresholds?.steps.length, title).toBeGreaterThan(0);
        expect(targets.length, title).toBeGreaterThan(0);
      }
      expect(new Set(board.panels.map((panel) => panel.id)).size).toBe(board.panels.length);
    },
  );

  it.each([...stored])('%s: panels fill their rows and do not overlap', (_, board) => {
    const cells = new Set<string>();
    for (const { title, gridPos } of board.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x},${y}`), title).toBe(false);
          cells.add(`${x},${y}`);
        }
      }
    }
    const height = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    expect(cells.size).toBe(24 * height);
  });

  it.each([...stored])('%s: has the variables that it uses, and leads to the others', (_, board) => {
    const names = board.templating.list.map((variable) => variable.name);
    expect(names.slice(0, 2)).toEqual(['datasource', 'proxy']);
    const values = Object.fromEntries(names.map((name) => [name, ['x']]));
    for (const panel of board.panels) {
      for (const { expr } of panel.targets ?? []) filledIn(expr, { ...values, __rate_interval: ['1m'] });
    }
    expect(board.links).toMatchObject([{ type: 'dashboards', tags: ['ringproxy'] }]);
    expect(board.tags).toContain('ringproxy');
  });
});
