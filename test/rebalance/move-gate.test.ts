import { describe, expect, it } from 'vitest';
import { Looks } from '../../src/rebalance/looks.js';
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

/** Settles when a move may begin. */
async function opening(gate: MoveGate, purpose: 'settle' | 'sweep'): Promise<void> {
  while (!gate.isOpenTo(purpose)) await gate.nextWake();
}

function client(): { resumed: number; resumeSoon: () => void } {
  const waiter = { resumed: 0, resumeSoon: () => void waiter.resumed++ };
  return waiter;
}

function gated(): { gate: MoveGate; looks: Looks } {
  const looks = new Looks();
  return { gate: new MoveGate(new ManualTimers(), looks), looks };
}

describe('a gate', () => {
  it('is open', async () => {
    const { gate } = gated();
    expect(await isOpen(Promise.all([gate.whilePaused(), opening(gate, 'settle'), opening(gate, 'sweep')]))).toBe(true);
  });

  it('keeps the sweep while it is paused', async () => {
    const { gate } = gated();
    gate.pause();
    const wait = gate.whilePaused();
    gate.wakeAll();
    expect(await isOpen(wait)).toBe(false);
    gate.resume();
    expect(await isOpen(wait)).toBe(true);
  });

  it('keeps the sweep alone, or everything, while it is held', async () => {
    const { gate } = gated();
    gate.hold('sweep');
    const sweep = opening(gate, 'sweep');
    expect([await isOpen(sweep), await isOpen(opening(gate, 'settle'))]).toEqual([false, true]);
    gate.hold('all');
    const settle = opening(gate, 'settle');
    expect([await isOpen(sweep), await isOpen(settle)]).toEqual([false, false]);
    gate.release();
    expect([await isOpen(sweep), await isOpen(settle)]).toEqual([true, true]);
  });

  it('keeps everything while somebody looks at all nodes, until the last has done so', async () => {
    const { gate, looks } = gated();
    expect([looks.hold(client()), looks.hold(client())]).toEqual([true, true]);
    const wait = opening(gate, 'settle');
    looks.release();
    expect(await isOpen(wait)).toBe(false);
    looks.release();
    expect(await isOpen(wait)).toBe(true);
  });

  it('lets those look first who have waited for it', async () => {
    const { gate, looks } = gated();
    const waiter = client();
    looks.moves();
    expect(looks.hold(waiter)).toBe(false);
    const wait = opening(gate, 'settle');
    gate.wakeAll();
    expect([waiter.resumed, await isOpen(wait)]).toEqual([0, false]);
    looks.moved();
    gate.wakeAll();
    // Who is resumed asks at the end of the turn, or of the next one.
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks.hold(waiter)).toBe(true);
    expect([waiter.resumed, await isOpen(wait)]).toEqual([1, false]);
    looks.release();
    expect(await isOpen(wait)).toBe(true);
  });

  it('opens when nobody asks who has waited', async () => {
    const { gate, looks } = gated();
    looks.moves();
    looks.hold(client());
    const wait = opening(gate, 'sweep');
    looks.moved();
    expect(await isOpen(wait)).toBe(true);
  });

  it('opens for good when all is stopped', async () => {
    const { gate, looks } = gated();
    const waiter = client();
    gate.pause();
    gate.hold('all');
    looks.moves();
    looks.hold(waiter);
    const waits = [gate.whilePaused(), opening(gate, 'settle'), gate.until(() => false, 1000)];
    gate.stop();
    expect(await isOpen(Promise.all(waits))).toBe(true);
    expect(await waits[2]).toBe(false);
    looks.giveUp();
    expect(waiter.resumed).toBe(1);
  });
});

describe('what is waited for', () => {
  it('is looked at whenever something has changed', async () => {
    const timers = new ManualTimers();
    const gate = new MoveGate(timers, new Looks());
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
    const gate = new MoveGate(timers, new Looks());
    const wait = gate.until(() => false, 1000);
    timers.advance(1001);
    expect(await isOpen(wait)).toBe(false);
    timers.advance(1);
    expect(await wait).toBe(false);
  });
});
