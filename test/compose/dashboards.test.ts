import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allDashboards, fileText } from '../../compose/dashboards/index.js';
import { NOT_BLOCKING } from '../../compose/dashboards/queries.js';
import { COMPOSE } from '../support/prometheus-process.js';
import { filledIn, storedDashboards } from './panel-queries.js';

const stored = storedDashboards();
/** Those of Grafana's units that are used here: it shows one that it does not know behind the figure, as it stands. */
const UNITS = ['Bps', 'bytes', 'none', 'ops', 'percentunit', 's', 'short'];
/** What Grafana 12 writes. A newer one takes it over; an older one does not know all of it. */
const SCHEMA_VERSION = 42;

/** Labels that a query's aggregations keep. */
function keptLabels(expr: string): string[] {
  return [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
}

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
        expect(UNITS, title).toContain(fieldConfig?.defaults.unit);
        expect(fieldConfig?.defaults.thresholds?.mode, title).toBe('absolute');
        // The first step is the one below all values; Grafana sorts none of them.
        const [lowest, ...values] = fieldConfig?.defaults.thresholds?.steps.map(({ value }) => value) ?? [];
        expect(lowest, title).toBe(null);
        expect(values, title).toEqual([...values].sort((a, b) => (a ?? 0) - (b ?? 0)));
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

  it.each([...stored])('%s: asks the data source that is chosen at the top, everywhere', (_, board) => {
    const chosen = { type: 'prometheus', uid: '$datasource' };
    const [first, ...variables] = board.templating.list;
    expect(first).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    for (const { name, datasource, refresh } of variables) {
      expect(datasource, name).toEqual(chosen);
      // When the time range changes: nodes and proxies come and go.
      expect(refresh, name).toBe(2);
    }
    for (const { name, datasource } of board.annotations.list) expect(datasource, name).toEqual(chosen);
    for (const { title, type, datasource, targets = [] } of board.panels) {
      if (type === 'row') continue;
      expect(datasource, title).toEqual(chosen);
      for (const target of targets) expect(target.datasource, title).toEqual(chosen);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  });

  it.each([...stored])('%s: names each line by labels that its query keeps', (_, board) => {
    for (const { title, targets = [], options } of board.panels) {
      for (const { expr, legendFormat = '' } of targets) {
        expect(legendFormat, title).not.toBe('');
        for (const [, label = ''] of legendFormat.matchAll(/{{(\w+)}}/g)) {
          // A query without `by` gives the proxy's own series, with all their labels.
          if (/\b(sum|max|min|count|topk)\b/.test(expr)) expect(keptLabels(expr), `${title}: ${expr}`).toContain(label);
          else expect(['instance', 'worker'], `${title}: ${expr}`).toContain(label);
        }
      }
      if (options?.legend?.showLegend === true) expect(options.legend.calcs, title).toEqual(['lastNotNull', 'max']);
    }
  });

  it.each([...stored])('%s: leads to places that are there, and takes along what was chosen', (_, board) => {
    const variables = new Map([...stored.values()].map(({ uid, templating }) => [uid, templating.list]));
    for (const { title, fieldConfig, targets = [] } of board.panels) {
      for (const link of fieldConfig?.defaults.links ?? []) {
        const [, uid = '', query = ''] = /^\/d\/([\w-]+)\?(.+)$/.exec(link.url) ?? [];
        const names = variables.get(uid)?.map(({ name }) => name) ?? [];
        expect(names, `${title}: ${link.url}`).toContain('datasource');
        expect(query.split('&'), title).toEqual(
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as Grafana is told.
          expect.arrayContaining(['${datasource:queryparam}', '${proxy:queryparam}', '${__url_time_range}']),
        );
        for (const [, name] of query.matchAll(/(?:\bvar-(\w+)=)/g)) expect(names, title).toContain(name);
        for (const [, label = ''] of query.matchAll(/__field\.labels\.(\w+)/g)) {
          for (const { expr } of targets) expect(keptLabels(expr), title).toContain(label);
        }
      }
    }
  });

  it('have addresses and names of their own, and settings of their Grafana', () => {
    const boards = [...stored.values()];
    expect(new Set(boards.map(({ uid }) => uid)).size).toBe(boards.length);
    expect(new Set(boards.map(({ title }) => title)).size).toBe(boards.length);
    for (const { uid, schemaVersion, time, refresh, panels } of boards) {
      // Grafana's bound for what stands in an address.
      expect(uid).toMatch(/^[\w-]{8,40}$/);
      expect(schemaVersion, uid).toBe(SCHEMA_VERSION);
      expect({ time, refresh }, uid).toEqual({ time: { from: 'now-15m', to: 'now' }, refresh: '5s' });
      const rows = panels.filter(({ type }) => type === 'row');
      expect(panels[0], uid).toBe(rows[0]);
      for (const { title, collapsed, panels: hidden } of rows) {
        expect({ collapsed, hidden }, title).toEqual({ collapsed: false, hidden: [] });
      }
    }
  });
});
