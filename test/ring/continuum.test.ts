import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildContinuum, type Continuum, type NodePoints } from '../../src/ring/continuum.js';

function build(parts: readonly NodePoints[]): Continuum {
  const steps = buildContinuum(parts);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/** Few different values, so that many are equal and share a bucket, and the ends of the range. */
const point = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.nat(0xffffffff), fc.constantFrom(0, 0x80000000, 0xffffffff));
const parts = fc
  .array(fc.array(point, { maxLength: 200 }), { maxLength: 6 })
  .map((lists) => lists.map((list, owner): NodePoints => ({ owner, points: Uint32Array.from(list) })));

describe('continuum', () => {
  it('is sorted, and of equal points the one of the earlier node stands first', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const { points, owners } = build(given);
        const expected = given.flatMap(({ owner, points: own }) => [...own].map((value) => ({ value, owner })));
        expected.sort((a, b) => a.value - b.value || a.owner - b.owner);
        expect([...points].map((value, i) => ({ value, owner: owners[i] }))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('has an index that leads to the first point of each bucket or of a later one', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const { points, starts, shift } = build(given);
        for (let bucket = 0; bucket < starts.length; bucket++) {
          const first = points.findIndex((value) => value >>> shift >= bucket);
          expect(starts[bucket]).toBe(first < 0 ? points.length : first);
        }
      }),
      { numRuns: 20 },
    );
  });
});
