/** A clock that was ahead and has gone back: stamps are made anew, and the operator is told, once each time. */
import { expect, it } from 'vitest';
import { ValueStore } from '../../src/fleet/values/store.js';
import { clockWatch } from '../../src/serve/clock-watch.js';

it('makes stamps anew that others would not take for long, and compares once they may be taken', () => {
  let wall = 10_000_000;
  const values = new ValueStore({ databases: 1, limit: 1024, actor: 'a', wallNow: () => wall });
  const told: string[] = [];
  let compared = 0;
  const look = clockWatch({
    values,
    log: { warn: (message) => told.push(message) },
    compareNow: () => {
      compared++;
    },
  });
  for (let time = 1; time <= 2; time++) {
    wall += 3_600_000;
    values.clock.next();
    look();
    wall -= 3_600_000;
    look();
    look();
    expect(told).toHaveLength(time);
    expect(told[time - 1]).toContain('clock was 3600 s ahead');
    expect(compared).toBe(time - 1);
    wall += 4000;
    look();
    look();
    expect(compared).toBe(time);
    expect(values.clock.accepts(values.clock.next())).toBe(true);
  }
  // What others take soon is left as it is.
  wall += 80_000;
  values.clock.next();
  wall -= 80_000;
  look();
  expect(told).toHaveLength(2);
});
