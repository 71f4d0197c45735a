import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildContinuum, type NodePoints } from '../../src/ring/continuum.js';
import { findSoleOwners, type SoleOwners } from '../../src/ring/sole-owners.js';

const BITS = 9;
const WIDTH = 2 ** (32 - BITS);

function result<T>(steps: Generator<undefined, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

interface Sorted {
  readonly points: Uint32Array;
  readonly owners: Uint16Array;
}

function find({ points, owners }: Sorted, nodes: number): SoleOwners {
  return result(findSoleOwners({ points, owners }, BITS, nodes));
}

function ownerOf({ points, owners }: Sorted, hash: number): number {
  const at = points.findIndex((point) => point >= hash);
  return owners[at < 0 ? 0 : at] as number;
}

/** Many at the edges of stretches, and several in one. */
const edge = fc.tuple(fc.nat(2 ** BITS), fc.integer({ min: -2, max: 2 })).map(([at, by]) => at * WIDTH + by);
const point = fc.oneof(edge, fc.nat(0xffffffff)).map((value) => Math.min(Math.max(value, 0), 0xffffffff));
const rings = fc
  .array(fc.array(point, { maxLength: 60 }), { minLength: 1, maxLength: 5 })
  .filter((lists) => lists.some((list) => list.length > 0))
  .map((lists) => lists.map((list, owner): NodePoints => ({ owner, points: Uint32Array.from(list) })))
  .map((parts): Sorted => {
    const { points, owners } = result(buildContinuum(parts));
    return { points, owners };
  });

describe('stretches of the hash space', () => {
  it('have the owner that each hash in them has, and several where one has another one', () => {
    fc.assert(
      fc.property(rings, (ring) => {
        const sole = find(ring, 5);
        for (let stretch = 0; stretch < sole.length; stretch++) {
          const [first, last] = [stretch * WIDTH, (stretch + 1) * WIDTH - 1];
          const inside = [...ring.points].filter((value) => value >= first && value <= last);
          // Owners change behind points alone.
          const hashes = [first, last, ...inside, ...inside.map((value) => Math.min(value + 1, last))];
          const owners = new Set(hashes.map((hash) => ownerOf(ring, hash)));
          const found = sole[stretch] as number;
          if (owners.size > 1) expect(found).toBe(0);
          // Equal points, and one at the very end, may hide that it has one alone.
          else if (found > 0 || !(new Set(inside).size < inside.length || inside.includes(last)))
            expect(found).toBe(([...owners][0] as number) + 1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('have one owner all, where there is but one node or none has points', () => {
    const one = { points: Uint32Array.of(7), owners: Uint16Array.of(0) };
    expect(new Set(find(one, 1))).toEqual(new Set([1]));
    expect(new Set(find({ points: new Uint32Array(0), owners: new Uint16Array(0) }, 0))).toEqual(new Set([0]));
  });

  it.each([254, 255, 256, 65_534])('are told by the index of the node, were it %i', (owner) => {
    const ring = { points: Uint32Array.of(WIDTH, 0xffffffff), owners: Uint16Array.of(owner, owner - 1) };
    const sole = find(ring, owner + 1);
    expect([sole[0], sole[1], sole[2]]).toEqual([owner + 1, 0, owner]);
  });

  it('are found in slices, so that a large ring does not keep the event loop', () => {
    const ring = { points: Uint32Array.of(5), owners: Uint16Array.of(0) };
    const steps = findSoleOwners(ring, 18, 1);
    let slices = 0;
    while (steps.next().done !== true) slices++;
    expect(slices).toBeGreaterThan(10);
  });
});
