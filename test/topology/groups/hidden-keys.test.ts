import { describe, expect, it } from 'vitest';
import { readKeyGroups } from '../../../src/config/key-groups.js';
import type { KeyGroup } from '../../../src/proxy/caching/policy.js';
import { type HiddenKeys, hiddenKeys } from '../../../src/topology/groups/hidden-keys.js';

function groupsOf(written: unknown): readonly KeyGroup[] {
  const read = readKeyGroups(written);
  if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
  return read.groups;
}

const FLAGS = { prefixes: ['flag:'], cache: 'replicated' };
const GROUPS = groupsOf({ sessions: 's:', pages: { prefixes: ['page:', 'html:'], cache: 'near' }, flags: FLAGS });
const hidden = (written: unknown): HiddenKeys[] => hiddenKeys(GROUPS, groupsOf(written));
const named = (written: unknown): string[] =>
  hidden(written).flatMap(({ from, prefixes }) => prefixes.map((prefix) => `${prefix} ${from}`));

describe('keys that would not be seen any more', () => {
  it('are those that come into a replicated group, or out of one', () => {
    expect(named({ flags: FLAGS })).toEqual([]);
    expect(named({ flags: { ...FLAGS, cache: 'near' } })).toEqual(['flag: proxies']);
    expect(named({})).toEqual(['flag: proxies']);
    expect(named({ flags: { ...FLAGS, prefixes: ['flag:', 's:'] } })).toEqual(['s: nodes']);
    // A part of a group's keys, by a longer prefix; and a shorter one, around what was there.
    expect(named({ flags: FLAGS, some: 'flag:x:' })).toEqual(['flag:x: proxies']);
    expect(named({ flags: { ...FLAGS, prefixes: ['fl'] } })).toEqual(['fl nodes']);
    expect(named({ flags: { ...FLAGS, prefixes: ['f'] }, plain: 'flag:' })).toEqual(['f nodes', 'flag: proxies']);
  });

  it('are told from others that begin alike by the longest prefix', () => {
    const [keys] = hidden({ flags: { ...FLAGS, prefixes: ['flag:', 's:', 'page:'] }, some: ['s:x:', 'pa'] });
    const those = ['s:1', 's:x', 's:x:1', 'page:1', 'pag', 'flag:1', 'html:1', ''].filter((key) => keys?.has(key));
    expect(those).toEqual(['s:1', 's:x', 'page:1']);
  });

  it('are found by a glob that fits all of them, whatever bytes they have', () => {
    const globOf = (...prefixes: string[]): (string | undefined)[] =>
      hidden({ flags: FLAGS, more: { prefixes, cache: 'replicated' } }).map(({ glob }) => glob);
    expect(globOf('a[b]*?\\^c')).toEqual(['a\\[b\\]\\*\\?\\\\^c*']);
    expect(globOf('page:de:', 'page:en:')).toEqual(['page:*']);
    expect(globOf('a', 'b')).toEqual(['*']);
    // These two have the first half of their surrogate pairs in common.
    expect(globOf('x😀', 'x😁')).toEqual(['x*']);
    const [keys] = hidden({ flags: FLAGS, more: { prefixes: 'größe:', cache: 'replicated' } });
    expect(keys?.has(Buffer.from('größe:1').toString('latin1'))).toBe(true);
  });
});
