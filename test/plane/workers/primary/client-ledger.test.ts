import { describe, expect, it } from 'vitest';
import type { ToWorker } from '../../../../src/plane/workers/messages.js';
import { ClientLedger, type CountingWorker } from '../../../../src/plane/workers/primary/client-ledger.js';
import { ManualTimers } from '../../../support/manual-timers.js';

class Told implements CountingWorker {
  /** What it knows, by the address or user. */
  readonly elsewhere = new Map<string, number>();
  messages = 0;

  send(message: ToWorker): void {
    if (message.type !== 'elsewhere') throw new Error(`it was sent ${message.type}`);
    this.messages++;
    for (const { by, name, clients } of message.elsewhere) this.elsewhere.set(`${by} ${name}`, clients);
  }
}

const NONE = {
  ...{ maxClientsPerAddress: 0, commandsPerAddress: 0, bytesPerAddress: 0 },
  ...{ maxClientsPerUser: 0, commandsPerUser: 0, bytesPerUser: 0, userLimits: [] },
};

function stage(settings: Partial<typeof NONE>) {
  const timers = new ManualTimers();
  const ledger = new ClientLedger({ ...NONE, ...settings }, timers);
  return { timers, ledger, one: new Told(), other: new Told() };
}

describe('the clients of all workers', () => {
  it('are counted together, and go with the worker that has died', () => {
    const { ledger, one, other } = stage({ maxClientsPerAddress: 3, maxClientsPerUser: 1 });
    ledger.enter('address', 'a', one);
    ledger.enter('address', 'a', one);
    expect(ledger.isFull('address', 'a')).toBe(false);
    ledger.enter('address', 'a', other);
    expect(ledger.isFull('address', 'a')).toBe(true);
    expect(ledger.isFull('user', 'a')).toBe(false);
    ledger.leave('address', 'a', one);
    expect(ledger.isFull('address', 'a')).toBe(false);
    ledger.enter('address', 'a', other);
    ledger.onExit(other);
    expect(ledger.count('address', 'a')).toBe(1);
    // Of one that was not there nobody has left.
    ledger.leave('address', 'a', other);
    ledger.leave('address', 'b', one);
    expect(ledger.count('address', 'a')).toBe(1);
  });

  it('are told to who has some of them, where they share a rate', () => {
    const { ledger, timers, one, other } = stage({ commandsPerUser: 100 });
    for (let i = 0; i < 3; i++) ledger.enter('user', 'shop', one);
    ledger.enter('address', 'a', one);
    ledger.enter('address', 'a', other);
    timers.advance(100);
    expect([one.messages, other.messages]).toEqual([0, 0]);
    ledger.enter('user', 'shop', other);
    ledger.enter('user', 'shop', other);
    timers.advance(5);
    expect([one.elsewhere.get('user shop'), other.elsewhere.get('user shop')]).toEqual([2, 3]);
    expect(one.messages).toBe(1);
    // Who has none any more need not know.
    ledger.leave('user', 'shop', other);
    ledger.leave('user', 'shop', other);
    timers.advance(5);
    expect([one.elsewhere.get('user shop'), other.elsewhere.get('user shop')]).toEqual([0, 0]);
    expect(one.elsewhere.has('address a')).toBe(false);
  });

  it('share what is limited from now on, and nothing that is not any more', () => {
    const { ledger, timers, one, other } = stage({});
    ledger.enter('address', 'a', one);
    ledger.enter('address', 'a', other);
    ledger.use({ ...NONE, bytesPerAddress: 1000 });
    timers.advance(5);
    expect([one.elsewhere.get('address a'), other.elsewhere.get('address a')]).toEqual([1, 1]);
    ledger.use(NONE);
    timers.advance(5);
    expect([one.elsewhere.get('address a'), other.elsewhere.get('address a')]).toEqual([0, 0]);
    ledger.use({ ...NONE, bytesPerAddress: 1000 });
    ledger.onExit(other);
    timers.advance(5);
    expect(one.elsewhere.get('address a')).toBe(0);
    expect(timers.pending).toBe(0);
  });
});
