import { expect, it } from 'vitest';
import { DrainingSet } from '../../../src/proxy/io/draining-set.js';

/** Whether it has settled by now. */
async function isDone(work: Promise<void>): Promise<boolean> {
  return Promise.race([work.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
}

it('is drained when its last value is deleted, and not before', async () => {
  const set = new DrainingSet([1, 2]);
  const waits = [set.drained(), set.drained()];
  set.delete(1);
  set.delete(7);
  expect(await isDone(set.drained())).toBe(false);
  set.delete(2);
  expect(await Promise.all(waits.map(isDone))).toEqual([true, true]);
});

it('is drained at once when it is empty, and when it is cleared', async () => {
  const set = new DrainingSet<number>();
  expect(await isDone(set.drained())).toBe(true);
  set.add(1);
  const wait = set.drained();
  expect(await isDone(wait)).toBe(false);
  set.clear();
  expect(await isDone(wait)).toBe(true);
});
