/** What the page on the admin API says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseChange } from '../../src/admin/change-request.js';
import { routeReference } from '../../src/admin/routes/reference.js';
import { readKeyGroups } from '../../src/config/key-groups.js';
import type { KeyGroup } from '../../src/proxy/caching/policy.js';
import { changed } from '../../src/topology/groups/group-changes.js';
import { ROOT } from '../support/root.js';

const page = readFileSync(join(ROOT, 'src/docs/admin-api.md'), 'utf8');

it('has the table of routes (npm run docs)', () => {
  expect(between('routes')).toBe(routeReference());
});

it('shows changes that are understood', () => {
  const lines = /<!-- changes-example -->\n```json\n([\s\S]*?)\n```/.exec(page)?.[1]?.split('\n') ?? [];
  const kinds = lines.map((line) => parseChange(JSON.parse(line)).kind);
  expect(kinds).toEqual(['add', 'remove', 'reweight', 'replace', 'add', 'apply']);
});

it('shows changes of groups of keys that are understood', () => {
  const lines = /<!-- groups-example -->\n```\n([\s\S]*?)\n```/.exec(page)?.[1]?.split('\n') ?? [];
  expect(lines).toHaveLength(5);
  let groups = groupsOf({ pages: { prefixes: 'page:', 'fill-wait': '1s' } });
  for (const line of lines) {
    const [, method = '', group = '', body = '{}'] = /^(\w+) +\/v1\/groups\/?(\S*) +(\{.*\})?/.exec(line) ?? [];
    const given: Record<string, unknown> = JSON.parse(body);
    const change =
      method === 'PATCH'
        ? ({ kind: 'set', group, words: given } as const)
        : method === 'DELETE'
          ? ({ kind: group === '' ? 'reset' : 'remove', group } as const)
          : ({ kind: group === '' ? 'all' : 'put', group, written: given } as const);
    groups = changed(groups, change) ?? [];
  }
  expect(groups).toEqual([]);
});

function between(mark: string): string | undefined {
  return new RegExp(`<!-- ${mark}:start -->\n([\\s\\S]*?)\n<!-- ${mark}:end -->`).exec(page)?.[1];
}

function groupsOf(written: unknown): readonly KeyGroup[] {
  const read = readKeyGroups(written);
  return 'groups' in read ? read.groups : [];
}
