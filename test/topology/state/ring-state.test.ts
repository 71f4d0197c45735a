import { describe, expect, it } from 'vitest';
import { RingproxyError } from '../../../src/errors.js';
import type { NodeSpec } from '../../../src/ring/node-spec.js';
import type { RingOptions } from '../../../src/ring/ring.js';
import {
  differences,
  firstState,
  nextMembers,
  unionOf,
  type WantedMembers,
} from '../../../src/topology/state/ring-state.js';

const options: RingOptions = { hash: 'murmur3', distribution: 'ketama', hashTag: '{}', vnodes: 160, weighting: 'own' };
const node = (name: string, port: number, weight = 1): NodeSpec => ({ name, address: `127.0.0.1:${port}`, weight });
const state = firstState([node('a', 1), node('b', 2), node('c', 3)], options);

function codeOf(wanted: WantedMembers): string {
  try {
    nextMembers(state, wanted);
  } catch (error) {
    if (error instanceof RingproxyError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('the first generation', () => {
  it('numbers its members', () => {
    expect(state).toMatchObject({ generation: 1, change: null });
    expect(state.members.map((member) => member.id)).toEqual([0, 1, 2]);
  });

  it('needs a node', () => {
    expect(() => firstState([], options)).toThrow(/no nodes/);
  });
});

describe('the next members', () => {
  it('keep the ids of those who stay, and give none that a leaving node still uses', () => {
    const next = nextMembers(state, { remove: ['b'], add: [node('d', 4)] });
    expect(next.map(({ name, id }) => [name, id])).toEqual([
      ['a', 0],
      ['c', 2],
      ['d', 3],
    ]);
    const after = nextMembers({ ...state, members: next }, { add: [node('e', 5)] });
    expect(after.at(-1)).toMatchObject({ name: 'e', id: 1 });
  });

  it('take a weight', () => {
    expect(nextMembers(state, { weights: [{ name: 'b', weight: 3 }] })).toMatchObject([
      { weight: 1 },
      { name: 'b', weight: 3, id: 1 },
      { weight: 1 },
    ]);
  });

  it('keep what was said of their access, which another server in their place does not have to repeat', () => {
    const access = { username: 'app', password: 'secret', peerAddress: '10.0.0.4:6379' };
    const members = nextMembers(state, { add: [{ ...node('d', 4), access }] });
    const of = (wanted: WantedMembers): unknown =>
      nextMembers({ ...state, members }, wanted).find(({ name }) => name === 'd')?.access;
    expect(of({ weights: [{ name: 'd', weight: 2 }] })).toEqual(access);
    // Its peers do not find it where the server before it was.
    const replace = { name: 'd', address: '127.0.0.1:9' };
    expect(of({ replace: [replace] })).toEqual({ username: 'app', password: 'secret' });
    expect(of({ replace: [{ ...replace, access: { password: 'other' } }] })).toEqual({ password: 'other' });
    const peerAddress = '10.0.0.9:6379';
    expect(of({ replace: [{ ...replace, access: { peerAddress } }] })).toEqual({ ...access, peerAddress });
  });

  it('give a replaced node its name and weight, and an id of its own', () => {
    const next = nextMembers(state, { replace: [{ name: 'b', address: '127.0.0.1:9' }] });
    expect(next.find((member) => member.name === 'b')).toEqual({
      name: 'b',
      address: '127.0.0.1:9',
      weight: 1,
      id: 3,
      access: {},
    });
    expect(unionOf(state.members, next).map(({ name, address }) => `${name} ${address}`)).toEqual([
      'a 127.0.0.1:1',
      'b 127.0.0.1:2',
      'c 127.0.0.1:3',
      'b 127.0.0.1:9',
    ]);
  });

  it.each<[string, WantedMembers]>([
    ['UNKNOWN_NODE', { remove: ['z'] }],
    ['UNKNOWN_NODE', { weights: [{ name: 'z', weight: 2 }] }],
    ['UNKNOWN_NODE', { replace: [{ name: 'z', address: '127.0.0.1:9' }] }],
    ['RING_EMPTY', { remove: ['a', 'b', 'c'] }],
    ['NAME_TAKEN', { add: [node('a', 9)] }],
    ['NAME_TAKEN', { add: [node('x', 8), node('x', 9)] }],
    ['ADDRESS_TAKEN', { add: [node('x', 1)] }],
    // Symptom: a change could ask for millions of points, which a configuration cannot.
    ['TOO_MANY_POINTS', { weights: [{ name: 'a', weight: 1_000_000 }] }],
    ['TOO_MANY_POINTS', { add: [node('x', 9, 1_000_000)] }],
    ['NOTHING_TO_CHANGE', { weights: [{ name: 'a', weight: 1 }] }],
    ['NOTHING_TO_CHANGE', { replace: [{ name: 'a', address: '127.0.0.1:1' }] }],
    ['accepted', { remove: ['a', 'b', 'c'], add: [node('x', 9)] }],
  ])('%s: %j', (code, wanted) => {
    expect(codeOf(wanted)).toBe(code);
  });
});

describe('what a configuration says otherwise', () => {
  it('is nothing when it is the same, or names no nodes', () => {
    expect(differences(state, [node('a', 1), node('b', 2), node('c', 3)], options)).toEqual([]);
    expect(differences(state, [], options)).toEqual([]);
  });

  it('is told one by one', () => {
    const configured = [node('a', 9), node('b', 2, 5), node('x', 7)];
    expect(differences(state, configured, { ...options, hash: 'fnv1a_64', vnodes: 40 })).toEqual([
      'node a is at 127.0.0.1:1 in the ring, not at 127.0.0.1:9',
      'node b has weight 1 in the ring, not 5',
      'node x (127.0.0.1:7) is not in the ring',
      'node c (127.0.0.1:3) is in the ring, but is not configured',
      'the ring hashes with murmur3, not with fnv1a_64',
      'the ring has 160 vnodes, not 40',
    ]);
    expect(differences(state, [], { ...options, hashTags: ['bull:{*}:'] })).toEqual([
      "the ring's hash tag patterns are '', not 'bull:{*}:'",
    ]);
    expect(differences(state, [], { ...options, hashTags: [] })).toEqual([]);
  });
});
