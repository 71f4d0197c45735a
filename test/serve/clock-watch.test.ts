/** A clock that was ahead and has gone back: the operator is told, once each time. */
import { expect, it } from 'vitest';
import { HybridClock } from '../../src/fleet/crdt/hybrid-clock.js';
import { clockWatch } from '../../src/serve/clock-watch.js';

it('is told of until when others do not take what is written here', () => {
  let wall = 10_000_000;
  const clock = new HybridClock('a', () => wall);
  const told: string[] = [];
  const look = clockWatch({ values: { clock }, log: { warn: (message) => told.push(message) } });
  clock.next();
  look();
  wall -= 3_600_000;
  look();
  look();
  expect(told).toEqual([expect.stringContaining('until it has come to 1970-01-01T02:45:40.000Z')]);
  wall += 3_600_000;
  look();
  clock.next();
  wall -= 3_600_000;
  look();
  expect(told).toHaveLength(2);
});
