import { describe, expect, it } from 'vitest';
import { type CachePolicy, SHARDED } from '../../../src/proxy/caching/policy.js';
import { KeyGroups } from '../../../src/proxy/measure/key-groups.js';

const NEAR: CachePolicy = { ...SHARDED, cache: 'near' };
const PAGES = { group: 'pages', prefixes: ['page:', 'html:'], policy: NEAR };
const SESSIONS = { group: 'sessions', prefixes: ['session:'], policy: null };

function policyOf(groups: KeyGroups, key: string): CachePolicy | null {
  return groups.policyOf(Buffer.from(key), 0, key.length);
}

function count(groups: KeyGroups, key: string): void {
  groups.answered(groups.groupOf(Buffer.from(key), 0, key.length), 1, true);
}

function errors(groups: KeyGroups): Record<string, number> {
  return Object.fromEntries(groups.counters.map((counters) => [counters.group, counters.errors]));
}

describe('groups that change while commands are counted', () => {
  it('are none at first, and then have their policies', () => {
    const groups = new KeyGroups([]);
    expect([groups.active, groups.hasPolicies, groups.counters.length]).toEqual([false, false, 0]);
    groups.use([SESSIONS]);
    expect([groups.active, groups.hasPolicies]).toEqual([true, false]);
    groups.use([SESSIONS, PAGES]);
    expect([groups.active, groups.hasPolicies]).toEqual([true, true]);
    expect(policyOf(groups, 'html:x')).toBe(NEAR);
    expect(policyOf(groups, 'session:x')).toBeNull();
    expect(policyOf(groups, 'x')).toBeNull();
    groups.use([]);
    expect([groups.active, groups.hasPolicies, policyOf(groups, 'html:x')]).toEqual([false, false, null]);
  });

  it('keep what was counted under their names, wherever they stand', () => {
    const groups = new KeyGroups([SESSIONS, PAGES]);
    count(groups, 'page:1');
    count(groups, 'other');
    groups.use([PAGES, SESSIONS]);
    count(groups, 'page:1');
    count(groups, 'session:1');
    expect(errors(groups)).toEqual({ pages: 2, sessions: 1, other: 1 });
    groups.use([SESSIONS]);
    count(groups, 'page:1');
    expect(errors(groups)).toEqual({ sessions: 1, other: 2 });
    groups.use([PAGES]);
    expect(errors(groups)).toEqual({ pages: 2, other: 2 });
  });

  it('count what was in flight for the group that it was of', () => {
    const groups = new KeyGroups([SESSIONS, PAGES]);
    const inFlight = groups.groupOf(Buffer.from('page:1'), 0, 6);
    groups.use([{ ...PAGES, group: 'new' }, PAGES]);
    groups.answered(inFlight, 1, true);
    expect(errors(groups)).toEqual({ new: 0, pages: 1, other: 0 });
  });

  it('may have any number of names in time, and never more than a byte counts', () => {
    const groups = new KeyGroups([PAGES]);
    for (let i = 0; i < 1000; i++) {
      groups.use([PAGES, { group: `g${i}`, prefixes: ['g:'], policy: null }]);
      const number = groups.groupOf(Buffer.from('g:x'), 0, 3);
      expect(number).toBeLessThan(256);
      expect(groups.nameOf(number)).toBe(`g${i}`);
      count(groups, 'g:x');
      count(groups, 'page:x');
    }
    expect(errors(groups)).toEqual({ pages: 1000, g999: 1, other: 0 });
  });
});
