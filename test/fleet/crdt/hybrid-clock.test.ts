import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareStamps, decodeStamp, HybridClock, type Stamp } from '../../../src/fleet/crdt/hybrid-clock.js';

it('rises with every stamp, however the wall clock jumps, and behind whatever it has witnessed', () => {
  const step = fc.record({
    wall: fc.nat({ max: 1000 }),
    seen: fc.option(fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 5 }))),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let wall = 0;
      const clock = new HybridClock('b', () => wall, 100);
      let last: Stamp = [0, -1, ''];
      for (const { wall: now, seen } of steps) {
        wall = now;
        if (seen !== null) {
          const stamp: Stamp = [...seen, 'a'];
          const isNear = seen[0] <= now + 100;
          expect(clock.witness(stamp)).toBe(isNear);
          if (isNear && compareStamps(stamp, last) > 0) last = stamp;
        }
        const next = clock.next();
        expect(compareStamps(next, last)).toBeGreaterThan(0);
        last = next;
      }
    }),
  );
});

it('is not taken along by a clock that is far ahead, and counts that', () => {
  const clock = new HybridClock('a', () => 5_000, 1000);
  expect(clock.witness([6_000, 0, 'b'])).toBe(true);
  expect(clock.witness([6_001, 0, 'b'])).toBe(false);
  expect(clock.next()).toEqual([6_000, 1, 'a']);
  expect(clock.refused).toBe(1);
});

it('knows until when nobody follows it that has gone back', () => {
  let wall = 50_000;
  const clock = new HybridClock('a', () => wall, 1000);
  clock.next();
  wall = 49_000;
  expect(clock.aloneUntil).toBeNull();
  wall = 48_999;
  expect(clock.aloneUntil).toBe(49_000);
});

it('reads stamps of peers only when they are some', () => {
  expect(decodeStamp([1, 2, 'a'])).toEqual([1, 2, 'a']);
  for (const value of [null, [1, 2], [1, 2, ''], [-1, 2, 'a'], [1, 0.5, 'a'], ['1', 2, 'a'], [1, 2, 'x'.repeat(65)]]) {
    expect(decodeStamp(value)).toBeNull();
  }
});

it('follows no clock that is more than a minute ahead, if nothing else is said', () => {
  const clock = new HybridClock('a', () => 5_000);
  expect(clock.accepts([65_000, 0, 'b'])).toBe(true);
  expect(clock.accepts([65_001, 0, 'b'])).toBe(false);
});
