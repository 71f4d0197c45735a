import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinAll } from '../../../src/fleet/crdt/branches.js';
import { forEachSubject } from './subjects.js';
import { run, steps } from './world.js';

forEachSubject((name, subject) => {
  const { lattice } = subject;
  const text = (state: Parameters<typeof lattice.encode>[0]): string => JSON.stringify(lattice.encode(state));

  describe(name, () => {
    it('joins in any order, in any grouping, and as often as you like', () => {
      fc.assert(
        fc.property(steps(subject.change), fc.nat(), fc.nat(), fc.nat(), (all, x, y, z) => {
          const { states } = run(subject, all);
          const pick = (index: number): (typeof states)[number] => states[index % states.length] ?? lattice.bottom;
          const [a, b, c] = [pick(x), pick(y), pick(z)];
          const { join } = lattice;
          expect(text(join(a, b))).toBe(text(join(b, a)));
          expect(text(join(join(a, b), c))).toBe(text(join(a, join(b, c))));
          expect(join(a, a)).toBe(a);
          const joined = join(a, b);
          expect(join(joined, b)).toBe(joined);
          expect(join(joined, a)).toBe(joined);
          expect(text(join(lattice.bottom, a))).toBe(text(a));
        }),
        { numRuns: 400 },
      );
    });

    it('comes to what whole states come to, whichever deltas were lost, doubled or late, when replicas meet', () => {
      fc.assert(
        fc.property(steps(subject.change), fc.nat(), (all, order) => {
          const { replicas, deltas } = run(subject, all);
          const whole = joinAll(lattice, replicas);
          // Everybody meets everybody, in another order at each.
          const met = replicas.map((_replica, index) => {
            const first = (order + index) % replicas.length;
            return joinAll(lattice, [...replicas.slice(first), ...replicas.slice(0, first)]);
          });
          for (const state of met) {
            expect(subject.value(state)).toEqual(subject.value(whole));
            expect(text(state)).toBe(text(whole));
          }
          // Deltas alone, in any order, twice, come to the same as all states that were made of them.
          const once = joinAll(lattice, deltas);
          expect(text(joinAll(lattice, [...deltas].reverse().concat(deltas)))).toBe(text(once));
          expect(text(lattice.join(once, whole))).toBe(text(once));
        }),
        { numRuns: 400 },
      );
    });

    it('is the same when it has been sent', () => {
      fc.assert(
        fc.property(steps(subject.change), (all) => {
          for (const state of run(subject, all).states) {
            const sent = lattice.decode(JSON.parse(text(state)));
            expect(sent).not.toBeNull();
            if (sent !== null) expect(text(sent)).toBe(text(state));
          }
        }),
        { numRuns: 100 },
      );
    });

    it('refuses whatever is no state, without a throw', () => {
      fc.assert(
        fc.property(fc.jsonValue(), (value) => {
          const decoded = lattice.decode(value);
          if (decoded !== null) lattice.join(decoded, decoded);
        }),
        { numRuns: 500 },
      );
      for (const value of [undefined, null, 1, 'x', [[]], [[1]], { a: -1 }, { a: 1.5 }, [{ a: [['x', 1]] }, {}]]) {
        expect(lattice.decode(value)).toBeNull();
      }
    });
  });
});
