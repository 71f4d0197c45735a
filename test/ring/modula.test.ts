import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ringArcs } from '../../src/ring/arcs.js';
import { buildRingSync } from '../../src/ring/build.js';
import { ringMoves } from '../../src/ring/moves.js';
import { pointMistakes } from '../../src/ring/node-points.js';
import type { NodeSpec } from '../../src/ring/node-spec.js';
import { DEFAULT_RING_OPTIONS, type Ring, type RingOptions } from '../../src/ring/ring.js';
import { overNodes } from '../../src/ring/union.js';
import { walkWhileMoving } from '../../src/ring/walk.js';

const MODULA: RingOptions = { ...DEFAULT_RING_OPTIONS, distribution: 'modula' };

function ringOf(weights: Readonly<Record<string, number>>): Ring {
  const nodes = Object.entries(weights).map(([name, weight]): NodeSpec => ({ name, address: `h:${name}`, weight }));
  return buildRingSync(nodes, MODULA);
}

function namesOf(ring: Ring, hashes: readonly number[]): string[] {
  return hashes.map((hash) => ring.nodes[ring.ownerOfHash(hash)]?.name ?? '');
}

const rings = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'dd', 'ee'), fc.integer({ min: 1, max: 6 })), {
    minLength: 1,
    selector: ([name]) => name,
  })
  .map((weights) => ringOf(Object.fromEntries(weights)));

describe('the distribution modula', () => {
  it('has a slot for each unit of weight, in the order of the names, shorter ones first', () => {
    const ring = ringOf({ bb: 2, zz: 1, c: 1, a: 2 });
    expect(namesOf(ring, [0, 1, 2, 3, 4, 5, 6, 2 ** 32 - 1])).toEqual(['a', 'a', 'c', 'bb', 'bb', 'zz', 'a', 'bb']);
    expect(ring.shares()).toEqual([2 / 6, 1 / 6, 1 / 6, 2 / 6]);
  });

  it('does not depend on the order in which the nodes are named', () => {
    const [ring, other] = [ringOf({ a: 1, b: 2, cc: 3 }), ringOf({ cc: 3, b: 2, a: 1 })];
    const hashes = Array.from({ length: 100 }, (_, i) => i * 7919);
    expect(namesOf(ring, hashes)).toEqual(namesOf(other, hashes));
  });

  it('tells exactly what part of the keys goes where', () => {
    fc.assert(
      fc.property(rings, rings, (before, after) => {
        const slots = before.owners.length * after.owners.length;
        const counted = new Map<string, number>();
        for (let hash = 0; hash < slots; hash++) {
          const [source, target] = [namesOf(before, [hash])[0], namesOf(after, [hash])[0]];
          if (source !== target)
            counted.set(`${source} ${target}`, (counted.get(`${source} ${target}`) ?? 0) + 1 / slots);
        }
        const told = ringMoves(before, after);
        expect(told).toHaveLength(counted.size);
        for (const { source, target, share } of told)
          expect(share).toBeCloseTo(counted.get(`${source} ${target}`) ?? 0, 10);
      }),
    );
  });

  it('plans a change of many slots without keeping the event loop for long', () => {
    const weights = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`n${i}`, 2600 - i]));
    const [before, after] = [ringOf(weights), ringOf({ ...weights, n0: 2601 })];
    const start = performance.now();
    const moved = ringMoves(before, after).reduce((sum, { share }) => sum + share, 0);
    expect(moved).toBeGreaterThan(0.9);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('refuses weights that make too many slots', () => {
    const nodes = [{ weight: 200_000 }, { weight: 100_000 }];
    expect(pointMistakes(nodes, MODULA)).toEqual([
      { index: 1, message: expect.stringContaining('all weights together are 300000') },
    ]);
    expect(pointMistakes(nodes.slice(1), MODULA)).toEqual([]);
  });

  it('is drawn with as much of each node as it has of the keys', () => {
    for (const limit of [720, 4096]) {
      const ring = ringOf({ a: 1, b: 2, c: 3, d: 2 });
      const { exact, arcs } = ringArcs(ring, null, limit);
      const shares = [0, 0, 0, 0];
      for (const { from, to, owner } of arcs) shares[owner] = (shares[owner] ?? 0) + (to - from) / 2 ** 32;
      expect(exact).toBe(false);
      for (const [index, share] of ring.shares().entries()) expect(shares[index]).toBeCloseTo(share, 2);
    }
  });
});

describe('the order in which nodes are walked while keys move', () => {
  const union = (before: Ring, after: Ring): [Ring, Ring] => {
    const nodes = [
      ...before.nodes,
      ...after.nodes.filter(({ name }) => before.nodes.every((node) => node.name !== name)),
    ];
    return [overNodes(before, nodes), overNodes(after, nodes)];
  };

  it('has sources before targets', () => {
    const nodes = ['a', 'b', 'c'].map((name): NodeSpec => ({ name, address: `h:${name}`, weight: 1 }));
    const [all, fewer] = [
      buildRingSync(nodes, DEFAULT_RING_OPTIONS),
      buildRingSync(nodes.slice(1), DEFAULT_RING_OPTIONS),
    ];
    expect(walkWhileMoving(...union(all, fewer), [2, 1, 0])).toEqual({ order: [0, 2, 1], circular: false });
    expect(walkWhileMoving(...union(fewer, all), [2, 1, 0])).toEqual({ order: [1, 0, 2], circular: false });
  });

  it('is circular where nodes move keys to each other', () => {
    expect(walkWhileMoving(...union(ringOf({ a: 1, b: 1 }), ringOf({ a: 1, b: 1, c: 1 })), [0, 1, 2])).toMatchObject({
      circular: true,
    });
    // With ketama, too, when two nodes lose weight at once: some arcs of each fall to the other.
    const weighted = (a: number, b: number): Ring =>
      buildRingSync(
        [
          { name: 'a', address: 'h:1', weight: a },
          { name: 'b', address: 'h:2', weight: b },
          { name: 'c', address: 'h:3', weight: 1 },
        ],
        { ...DEFAULT_RING_OPTIONS, vnodes: 160 },
      );
    expect(walkWhileMoving(weighted(3, 3), weighted(1, 1), [0, 1, 2])).toMatchObject({ circular: true });
  });
});
