import { expect, it } from 'vitest';
import { WorkerStanding } from '../../../../src/plane/workers/worker/worker-standing.js';
import { clockShift, monotonicNow } from '../../../../src/time/monotonic.js';

const told = (validFor: number, proxy = 'f00d') => ({
  proxy,
  validUntil: monotonicNow() + validFor,
  clockShift: clockShift(),
});

it('holds until the time that the primary has told, and under the id of now', () => {
  const standing = new WorkerStanding(told(60_000), 3, () => Promise.resolve('speak'));
  expect([standing.id, standing.isLone, standing.holds('f00d.3')]).toEqual(['f00d.3', false, true]);
  expect(standing.holds('f00d.4')).toBe(false);
  standing.onChanged(told(0));
  expect(standing.holds('f00d.3')).toBe(false);
  standing.onChanged(told(60_000, 'beef'));
  expect([standing.holds('f00d.3'), standing.holds('beef.3')]).toEqual([false, true]);
});

it('asks by the id of the proxy, and goes by no answer to another one', async () => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const standing = new WorkerStanding(told(0), 3, (proxy) => {
    asked.push(proxy);
    return new Promise((resolve) => answers.push(() => resolve('speak')));
  });
  expect(await standing.ask('beef.3')).toBe('fenced-off');
  const first = standing.ask('f00d.3');
  answers.shift()?.();
  expect(await first).toBe('speak');
  const second = standing.ask('f00d.3');
  standing.onChanged(told(60_000, 'beef'));
  answers.shift()?.();
  expect(await second).toBe('fenced-off');
  expect(asked).toEqual(['f00d', 'f00d']);
});

/** The even clock stands still while a machine is suspended, and the lease runs out all the same. */
it('is not certain any more when the machine was suspended, except for a proxy that is alone', () => {
  const suspended = { ...told(60_000), clockShift: clockShift() - 30_000 };
  expect(new WorkerStanding(suspended, 1, () => Promise.resolve('speak')).holds('f00d.1')).toBe(false);
  const lone = { ...suspended, validUntil: Number.POSITIVE_INFINITY };
  const standing = new WorkerStanding(lone, 1, () => Promise.resolve('speak'));
  expect([standing.isLone, standing.holds('f00d.1')]).toEqual([true, true]);
});
