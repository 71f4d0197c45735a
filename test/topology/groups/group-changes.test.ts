import { describe, expect, it } from 'vitest';
import type { GroupsChange } from '../../../src/admin/api.js';
import { readKeyGroups, toWritten } from '../../../src/config/key-groups.js';
import { RingproxyError } from '../../../src/errors.js';
import type { KeyGroup } from '../../../src/proxy/caching/policy.js';
import { changed, groupDifferences } from '../../../src/topology/groups/group-changes.js';

function groupsOf(written: unknown): readonly KeyGroup[] {
  const read = readKeyGroups(written);
  if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
  return read.groups;
}

const GROUPS = groupsOf({
  sessions: 's:',
  pages: { prefixes: ['page:', 'html:'], cache: 'near', 'near-ttl': '2s', 'fill-wait': '1s' },
  flags: { prefixes: ['flag:'], cache: 'replicated' },
});

/** In words, by group. */
function become(change: GroupsChange): unknown {
  const groups = changed(GROUPS, change);
  return groups === null ? null : Object.fromEntries(toWritten(groups).map(({ group, ...rest }) => [group, rest]));
}

function refusal(change: GroupsChange): { code: string; message: string; hint: string } {
  try {
    changed(GROUPS, change);
  } catch (error) {
    if (error instanceof RingproxyError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('a change of the groups of keys', () => {
  it('sets what is named of a group, and leaves the rest', () => {
    const words = { 'near-ttl': '7s', 'fill-wait': null, 'early-refresh': 'on' };
    expect(become({ kind: 'set', group: 'pages', words })).toMatchObject({
      sessions: { prefixes: ['s:'], policy: {} },
      pages: { prefixes: ['page:', 'html:'], policy: { cache: 'near', 'near-ttl': '7s', 'early-refresh': 'on' } },
    });
    expect(become({ kind: 'set', group: 'sessions', words: { prefixes: ['t:'] } })).toMatchObject({
      sessions: { prefixes: ['t:'], policy: {} },
    });
    // What is off is what it would be by itself.
    expect(become({ kind: 'set', group: 'pages', words: { 'fill-wait': 0 } })).toMatchObject({
      pages: { policy: { cache: 'near', 'near-ttl': '2s' } },
    });
  });

  it('makes groups, replaces them in their place, and takes them out', () => {
    const names = (change: GroupsChange): string[] => changed(GROUPS, change)?.map(({ group }) => group) ?? [];
    expect(names({ kind: 'set', group: 'new', words: { prefixes: 'n:' } })).toEqual([
      'sessions',
      'pages',
      'flags',
      'new',
    ]);
    expect(names({ kind: 'put', group: 'pages', written: 'p:' })).toEqual(['sessions', 'pages', 'flags']);
    expect(become({ kind: 'put', group: 'pages', written: { prefixes: 'p:' } })).toMatchObject({
      pages: { prefixes: ['p:'], policy: {} },
    });
    expect(names({ kind: 'remove', group: 'pages' })).toEqual(['sessions', 'flags']);
    expect(names({ kind: 'all', written: { a: 'a:' } })).toEqual(['a']);
    expect(become({ kind: 'all', written: {} })).toEqual({});
    expect(become({ kind: 'reset' })).toBeNull();
  });

  it('is refused with everything that is wrong', () => {
    const words = { cache: 'far', 'max-tll': '1s', prefixes: ['s:', ''] };
    const { code, message } = refusal({ kind: 'set', group: 'pages', words });
    expect(code).toBe('BAD_GROUPS');
    expect(message).toMatch(/cache is 'far'/);
    expect(message).toMatch(/'max-tll' is none of/);
    // Which type it is to be, nobody knows.
    expect(message).not.toMatch(/near-ttl is only/);
    expect(refusal({ kind: 'put', group: 'new', written: { prefixes: ['s:'] } }).message).toMatch(
      /prefix 's:' of group new is one of group sessions already/,
    );
    // What does not fit any more is named, and how to take it out.
    const sharded = refusal({ kind: 'set', group: 'pages', words: { cache: 'sharded' } });
    expect(sharded).toMatchObject({ code: 'BAD_GROUPS', message: expect.stringContaining('near-ttl is only for') });
    expect(sharded.hint).toMatch(/--reset WORD/);
    expect(become({ kind: 'set', group: 'pages', words: { cache: null, 'near-ttl': null } })).toMatchObject({
      pages: { policy: { 'fill-wait': '1s' } },
    });
    for (const written of [5, null, {}, { prefixes: [] }]) {
      expect(refusal({ kind: 'put', group: 'new', written }).code).toBe('BAD_GROUPS');
    }
    expect(refusal({ kind: 'put', group: '__proto__', written: 'x' }).code).toBe('BAD_GROUPS');
    expect(refusal({ kind: 'put', group: 'other', written: 'x' }).code).toBe('BAD_GROUPS');
  });

  it('names a group that is not there', () => {
    for (const change of [
      { kind: 'remove', group: 'page' },
      { kind: 'set', group: 'page', words: { cache: 'near' } },
    ] as const) {
      const { code, hint } = refusal(change);
      expect(code).toBe('UNKNOWN_GROUP');
      expect(hint).toMatch(/sessions, pages, flags/);
    }
  });
});

describe('what differs between groups', () => {
  it('is told in words', () => {
    const next = groupsOf({
      pages: { prefixes: ['page:'], cache: 'near', 'near-ttl': '3s' },
      flags: { prefixes: ['flag:'], cache: 'replicated' },
      new: 'n:',
    });
    expect(groupDifferences(GROUPS, next)).toEqual([
      'sessions is gone',
      'pages is near, near-ttl 3s (page:), and was near, near-ttl 2s, fill-wait 1s (page:, html:)',
      'new is new: sharded (n:)',
    ]);
    expect(groupDifferences(GROUPS, GROUPS)).toEqual([]);
  });
});
