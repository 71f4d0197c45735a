import { describe, expect, it } from 'vitest';
import { ringArcs } from '../../src/ring/arcs.js';
import { buildRingSync } from '../../src/ring/build.js';
import type { NodeSpec } from '../../src/ring/node-spec.js';
import { DEFAULT_RING_OPTIONS, type Ring } from '../../src/ring/ring.js';
import { overNodes } from '../../src/ring/union.js';

const SPACE = 2 ** 32;

function nodes(count: number): NodeSpec[] {
  return Array.from({ length: count }, (_, index) => ({ name: `n${index}`, address: `h:${index + 1}`, weight: 1 }));
}

function ringOf(count: number, vnodes: number): Ring {
  return buildRingSync(nodes(count), { ...DEFAULT_RING_OPTIONS, vnodes });
}

/** The part of the hash space that each node has in these arcs. */
function sharesOf(arcs: readonly { from: number; to: number; owner: number }[], count: number): number[] {
  const shares = new Array<number>(count).fill(0);
  for (const arc of arcs) (shares[arc.owner] as number) += (arc.to - arc.from) / SPACE;
  return shares;
}

describe('arcs of a ring', () => {
  it('are the ring itself where there are few, with every hash at its owner', () => {
    const ring = ringOf(3, 40);
    const { exact, arcs } = ringArcs(ring, null, 4096);
    expect(exact).toBe(true);
    expect([arcs[0]?.from, arcs.at(-1)?.to]).toEqual([0, SPACE]);
    for (const [index, arc] of arcs.entries()) {
      expect(arc.from).toBe(index === 0 ? 0 : arcs[index - 1]?.to);
      for (const hash of [arc.from + 1, arc.to - (arc.to === SPACE ? 1 : 0)]) {
        expect(ring.ownerOfHash(hash)).toBe(arc.owner);
      }
      expect(arc.next).toBe(arc.owner);
    }
    const shares = sharesOf(arcs, 3);
    for (const [index, share] of ring.shares().entries()) expect(shares[index]).toBeCloseTo(share, 8);
  });

  it('are a fair sample where there are many', () => {
    const ring = ringOf(4, 4096);
    const { exact, arcs } = ringArcs(ring, null, 720);
    expect(exact).toBe(false);
    expect(arcs.length).toBeLessThanOrEqual(720);
    expect([arcs[0]?.from, arcs.at(-1)?.to]).toEqual([0, SPACE]);
    for (const share of sharesOf(arcs, 4)) expect(share).toBeGreaterThan(0.18);
  });

  it('say what changes hands, and that is what the new node gets', () => {
    const union = nodes(4);
    const before = overNodes(ringOf(3, 160), union);
    const after = ringOf(4, 160);
    const { arcs } = ringArcs(before, after, 4096);
    const moved = arcs.filter((arc) => arc.next !== arc.owner);
    expect(moved.every((arc) => arc.next === 3)).toBe(true);
    const share = moved.reduce((sum, arc) => sum + (arc.to - arc.from) / SPACE, 0);
    expect(share).toBeCloseTo(after.shares()[3] ?? 0, 8);
  });
});
