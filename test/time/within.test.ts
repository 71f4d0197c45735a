import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LATE, within } from '../../src/time/within.js';
import { ManualTimers } from '../support/manual-timers.js';

describe('within', () => {
  it('gives what the work gives, and leaves no timer behind', async () => {
    const timers = new ManualTimers();
    expect(await within(100, Promise.resolve('done'), timers)).toBe('done');
    await turn();
    expect(timers.pending).toBe(0);
  });

  it('is late at the limit, not before', async () => {
    const timers = new ManualTimers();
    let outcome: unknown = 'waits';
    void within(100, new Promise(() => {}), timers).then((result) => {
      outcome = result;
    });
    timers.advance(99);
    await turn();
    expect(outcome).toBe('waits');
    timers.advance(1);
    await turn();
    expect(outcome).toBe(LATE);
  });

  it('throws what the work throws in time, and leaves no timer behind', async () => {
    const timers = new ManualTimers();
    await expect(within(100, Promise.reject(new Error('broken')), timers)).rejects.toThrow('broken');
    await turn();
    expect(timers.pending).toBe(0);
  });

  // Vitest fails a run in which a rejection is left to nobody.
  it('takes what the work throws afterwards to itself', async () => {
    const timers = new ManualTimers();
    let fail: (error: Error) => void = () => {};
    const outcome = within(100, new Promise((_, reject) => (fail = reject)), timers);
    timers.advance(100);
    expect(await outcome).toBe(LATE);
    fail(new Error('too late to tell'));
    await turn();
  });
});
