import { expect, it } from 'vitest';
import { Stopwatch } from '../../src/time/stopwatch.js';

it('runs from the start, and leaves out what it stood', () => {
  let now = 1000;
  const watch = new Stopwatch(() => now);
  now = 3000;
  expect(watch.seconds).toBe(2);
  watch.run(false);
  now = 60_000;
  watch.run(false);
  expect(watch.seconds).toBe(2);
  watch.run(true);
  now = 60_500;
  // Told again, it goes on.
  watch.run(true);
  now = 61_000;
  expect(watch.seconds).toBe(3);
});
