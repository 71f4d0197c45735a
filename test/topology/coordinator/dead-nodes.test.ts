import { describe, expect, it } from 'vitest';
import type { NodeHealth } from '../../../src/health/node-monitor.js';
import { type ChangeOfDead, findDeadNodes } from '../../../src/topology/coordinator/dead-nodes.js';
import { firstState } from '../../../src/topology/state/ring-state.js';

const { members } = firstState(
  ['a', 'b', 'c'].map((name, at) => ({ name, address: `127.0.0.1:${at + 1}`, weight: 1 })),
  { hash: 'murmur3', distribution: 'ketama', hashTag: '{}', vnodes: 160, weighting: 'own' },
);

const WELL = {
  keys: 1,
  usedMemory: 1,
  figures: null,
  version: '7.0.0',
  runId: 'x',
  error: null,
  downSince: null,
  reason: null,
};

function find(down: readonly string[], change: Pick<ChangeOfDead, 'leaving' | 'undrained' | 'moves'>) {
  const health = ({ name }: { name: string }): NodeHealth => {
    const isDown = down.includes(name);
    return { ...WELL, up: !isDown, error: isDown ? 'it refused the connection' : null };
  };
  return findDeadNodes({ members, health, ...change });
}

const move = (source: string, target: string) => ({ source, target, share: 0.1 });

describe('nodes that are down in a change', () => {
  it('are waited for where they lose keys, and named together in what helps', () => {
    const found = find(['a', 'b'], {
      leaving: [],
      undrained: [],
      moves: [move('a', 'd'), move('b', 'd'), move('c', 'd')],
    });
    expect(found.targets).toEqual([]);
    expect(found.sources).toEqual([
      'a (127.0.0.1:1) is down (it refused the connection), and its keys of 10.0 % of the ring are to move: the change waits until it answers; if it is gone, take it out first: ringproxy ring remove a b --no-drain',
      expect.stringMatching(/^b .*ringproxy ring remove a b --no-drain$/),
    ]);
  });

  it('hold nothing up where keys are given up, nor where they have nothing to do with it', () => {
    const moves = [move('a', 'b'), move('a', 'c')];
    expect(find(['a', 'b'], { leaving: ['a'], undrained: ['a'], moves })).toEqual({ sources: [], targets: [] });
    expect(find(['b'], { leaving: [], undrained: [], moves: [move('a', 'c')] })).toEqual({ sources: [], targets: [] });
  });

  it('that are replaced get nothing themselves', () => {
    const found = find(['a'], { leaving: ['a'], undrained: [], moves: [move('a', 'a')] });
    expect(found.targets).toEqual([]);
    expect(found.sources).toEqual([expect.stringMatching(/ask for this with --no-drain, which gives its keys up$/)]);
  });

  it('may not get keys', () => {
    const found = find(['b'], { leaving: [], undrained: [], moves: [move('a', 'b'), move('c', 'b')] });
    expect(found.targets).toEqual([
      {
        what: 'b (127.0.0.1:2) is down (it refused the connection), and would get keys of 20.0 % of the ring',
        hint: 'bring it back, or take it out first: ringproxy ring remove b --no-drain',
      },
    ]);
  });
});
