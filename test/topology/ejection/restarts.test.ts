import { describe, expect, it } from 'vitest';
import { nodeKey } from '../../../src/node/identity.js';
import { processIn, restartedAs } from '../../../src/node/restarted.js';
import { restartsOf } from '../../../src/topology/ejection/restarts.js';
import type { Member, RingState } from '../../../src/topology/state/ring-state.js';
import { OPTIONS } from '../manager-stage.js';

const [A, B] = ['a', 'b'].map((name, id): Member => ({ name, address: `${name}:1`, weight: 1, id, access: {} })) as [
  Member,
  Member,
];
const FOLLOWED: Member = { name: 'f', address: 'sentinel://s:1/f', weight: 1, id: 2, access: {} };
const RING: RingState = {
  ...{ generation: 1, members: [A, B, FOLLOWED], options: OPTIONS, change: null },
  processes: [{ name: 'a', address: 'a:1', runId: 'a1' }],
};
const A2 = restartedAs('a2');

/** @param said why `a` is down, for each live proxy; empty: it is not; null: that one has said nothing lately */
function toEmpty(said: readonly (string | null)[], state = RING): string[] {
  const opinions = said.map((why, i) => ({
    proxy: `p${i}`,
    down: why === null ? null : new Map(why === '' ? [] : [[nodeKey(A), { since: '', why }]]),
  }));
  return restartsOf({ state, opinions, runningAt: () => null }).toEmpty.map(({ node }) => node.runId);
}

describe('a node that was restarted', () => {
  it('is emptied when every live proxy has found the same process, since none has connections to the former one then', () => {
    expect(toEmpty([A2])).toEqual(['a2']);
    expect(toEmpty([A2, A2, A2])).toEqual(['a2']);
    for (const other of ['', null, 'it refused the connection', restartedAs('a3')]) {
      expect(toEmpty([A2, A2, other])).toEqual([]);
      expect(toEmpty([other, A2, A2])).toEqual([]);
    }
  });

  it('is left alone when that process may serve, when nothing is recorded of it, or when its keys are given up', () => {
    expect(toEmpty([restartedAs('a1')])).toEqual([]);
    expect(toEmpty([A2], { ...RING, processes: undefined })).toEqual([]);
    const change = { id: 'x', kind: 'eject', phase: 'moving', members: [B], startedAt: '', summary: '' } as const;
    expect(toEmpty([A2], { ...RING, change: { ...change, undrained: ['a'], processes: [] } })).toEqual([]);
  });

  it('is known by what was recorded first, of nodes that answer and are always the same server', () => {
    const { first } = restartsOf({ state: RING, opinions: [], runningAt: ({ name }) => `${name}9` });
    expect(first).toEqual([{ name: 'b', address: 'b:1', runId: 'b9' }]);
  });
});

it('the process stands in the words that proxies tell each other', () => {
  expect(processIn(restartedAs('0a1f'))).toBe('0a1f');
  expect(processIn('it refused the connection (0a1f)')).toBeNull();
});
