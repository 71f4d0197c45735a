/** What a proxy does to nodes' keys by itself must not run late: behind a change that another proxy has begun meanwhile. */
import { describe, expect, it } from 'vitest';
import { Upkeep } from '../../src/topology/upkeep.js';
import { ManualTimers } from '../support/manual-timers.js';

const STILL = { acknowledged: true, why: '' };

describe('upkeep of nodes', () => {
  it('is not begun once a fence is raised, until the ring is stable again', async () => {
    const upkeep = new Upkeep();
    expect(await upkeep.fence(1000)).toEqual(STILL);
    await expect(upkeep.run('removes strays of a', () => Promise.resolve())).rejects.toMatchObject({
      code: 'CHANGE_RUNNING',
    });
    upkeep.follow(true);
    expect(await upkeep.run('removes strays of a', () => Promise.resolve(7))).toBe(7);
  });

  it('is ended by a fence, which waits for what is on its way; and is not told as done', async () => {
    const upkeep = new Upkeep();
    let answer: () => void = () => {};
    const work = upkeep.run('removes strays of a', async (signal) => {
      while (!signal.aborted) {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      }
    });
    const refused = expect(work).rejects.toMatchObject({ code: 'CHANGE_RUNNING' });
    let passed = false;
    const fence = upkeep.fence(1000).then((said) => {
      passed = true;
      return said;
    });
    await new Promise(setImmediate);
    expect(passed).toBe(false);
    answer();
    expect(await fence).toEqual(STILL);
    await refused;
  });

  it('keeps a fence from being passed when it cannot be ended in time, and says what it does', async () => {
    const timers = new ManualTimers();
    const upkeep = new Upkeep(timers);
    void upkeep.run('empties c (127.0.0.1:3)', () => new Promise(() => {}));
    const fence = upkeep.fence(500);
    timers.advance(500);
    expect(await fence).toEqual({ acknowledged: false, why: 'this proxy still empties c (127.0.0.1:3)' });
  });

  it('that fails holds nothing up', async () => {
    const upkeep = new Upkeep();
    await expect(upkeep.run('empties c', () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(await upkeep.fence(1000)).toEqual(STILL);
  });
});
