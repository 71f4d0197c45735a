import { describe, expect, it } from 'vitest';
import { MoveGate } from '../../src/rebalance/move-gate.js';
import { ManualTimers } from '../support/manual-timers.js';

/** Whether it has settled by now, with a few turns of the event loop to do so. */
async function isOpen(wait: Promise<unknown>): Promise<boolean> {
  let open = false;
  void wait.then(() => {
    open = true;
  });
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
  return open;
}

function client(): { resumed: number; resumeSoon: () => void } {
  const waiter = { resumed: 0, resumeSoon: () => void waiter.resumed++ };
  return waiter;
}

describe('a gate', () => {
  it('is open', async () => {
    const gate = new MoveGate(new ManualTimers());
    expect(await isOpen(Promise.all([gate.whilePaused(), gate.whileHeld('settle'), gate.whileHeld('sweep')]))).toBe(
      true,
    );
  });

  it('keeps the sweep while it is paused', async () => {
    const gate = new MoveGate(new ManualTimers());
    gate.pause();
    const wait = gate.whilePaused();
    gate.wakeAll();
    expect(await isOpen(wait)).toBe(false);
    gate.resume();
    expect(await isOpen(wait)).toBe(true);
  });

  it('keeps the sweep alone, or everything, while it is held', async () => {
    const gate = new MoveGate(new ManualTimers());
    gate.hold('sweep');
    const sweep = gate.whileHeld('sweep');
    expect([await isOpen(sweep), await isOpen(gate.whileHeld('settle'))]).toEqual([false, true]);
    gate.hold('all');
    const settle = gate.whileHeld('settle');
    expect([await isOpen(sweep), await isOpen(settle)]).toEqual([false, false]);
    gate.release();
    expect([await isOpen(sweep), await isOpen(settle)]).toEqual([true, true]);
  });

  it('keeps everything while somebody looks at all nodes, until the last has done so', async () => {
    const gate = new MoveGate(new ManualTimers());
    gate.beginLook();
    gate.beginLook();
    const wait = gate.whileHeld('settle');
    gate.endLook();
    expect(await isOpen(wait)).toBe(false);
    gate.endLook();
    expect(await isOpen(wait)).toBe(true);
  });

  it('lets those look first who have waited for it', async () => {
    const gate = new MoveGate(new ManualTimers());
    const waiter = client();
    gate.waitToLook(waiter);
    const wait = gate.whileHeld('settle');
    gate.wakeAll();
    expect([waiter.resumed, await isOpen(wait)]).toEqual([0, false]);
    gate.letLook();
    gate.wakeAll();
    // Who is resumed asks at the end of the turn, or of the next one.
    await new Promise((resolve) => setImmediate(resolve));
    gate.beginLook();
    expect([waiter.resumed, await isOpen(wait)]).toEqual([1, false]);
    gate.endLook();
    expect(await isOpen(wait)).toBe(true);
  });

  it('opens when nobody asks who has waited', async () => {
    const gate = new MoveGate(new ManualTimers());
    gate.waitToLook(client());
    const wait = gate.whileHeld('sweep');
    gate.letLook();
    gate.wakeAll();
    expect(await isOpen(wait)).toBe(true);
  });

  it('opens for good when all is stopped', async () => {
    const gate = new MoveGate(new ManualTimers());
    const waiter = client();
    gate.pause();
    gate.hold('all');
    gate.waitToLook(waiter);
    const waits = [gate.whilePaused(), gate.whileHeld('settle'), gate.until(() => false, 1000)];
    gate.stop();
    expect(await isOpen(Promise.all(waits))).toBe(true);
    expect(await waits[2]).toBe(false);
    gate.giveUpLooks();
    expect(waiter.resumed).toBe(1);
  });
});

describe('what is waited for', () => {
  it('is looked at whenever something has changed', async () => {
    const timers = new ManualTimers();
    const gate = new MoveGate(timers);
    let reached = false;
    const wait = gate.until(() => reached, 1000);
    gate.wakeAll();
    expect(await isOpen(wait)).toBe(false);
    reached = true;
    gate.wakeAll();
    expect(await wait).toBe(true);
    expect(timers.pending).toBe(0);
  });

  it('is given up in time', async () => {
    const timers = new ManualTimers();
    const gate = new MoveGate(timers);
    const wait = gate.until(() => false, 1000);
    timers.advance(1001);
    expect(await isOpen(wait)).toBe(false);
    timers.advance(1);
    expect(await wait).toBe(false);
  });
});
