import { describe, expect, it } from 'vitest';
import type { StoredAgreed } from '../../src/failover/agreement.js';
import { MasterEmptying } from '../../src/failover/emptying.js';
import { BEFORE, CANDIDATE, NODE, Records, server } from './agreement-stage.js';

const OLD = { look: () => Promise.resolve(server('h9', '')) };

/** One proxy that empties: what it does to the server happens when the test says so. */
class Emptier {
  readonly done: string[] = [];
  readonly told: string[] = [];
  /** The attempts that have a connection, and have not removed anything yet. */
  readonly opened: { remove(): Promise<void>; fail(why: string): void }[] = [];
  readonly empty: (stored: StoredAgreed) => void;

  constructor(records: Records, id: string) {
    const emptying = new MasterEmptying(NODE, records.port(id), records.timers, {
      drop: async (address, proxies) => void this.done.push(`drop ${proxies} at ${address}`),
      empty: (address, mayRemove) =>
        new Promise((resolve, reject) => {
          this.opened.push({
            remove: async () => {
              await mayRemove('process');
              this.done.push(`empty ${address}`);
              resolve('process');
            },
            fail: (why) => reject(new Error(why)),
          });
        }),
      told: (why) => void this.told.push(why),
    });
    this.empty = (stored) => emptying.step(stored);
  }
}

function lone(): Records {
  const records = new Records();
  records.proxies = records.proxies.slice(0, 1);
  return records;
}

describe('a master that has not followed who served', () => {
  it('is emptied, when nobody is at the former one any more, and serves then', async () => {
    const records = new Records();
    const [one, two] = ['p1', 'p2'].map((id) => new Emptier(records, id)) as [Emptier, Emptier];
    const first = records.settle('p1', OLD, { empties: true, empty: one.empty });
    await records.pass(1000);
    expect(records.stored?.record).toMatchObject({
      settled: false,
      served: { history: 'h1' },
      emptying: { attempt: '' },
    });
    expect(one.done).toEqual([]);
    const second = records.settle('p2', OLD, { empties: true, empty: two.empty });
    await records.pass(1000);
    const [by, other] = one.opened.length > 0 ? [one, two] : [two, one];
    expect([by.opened.length, other.opened.length]).toEqual([1, 0]);
    expect([first.agreed, second.agreed]).toEqual([undefined, undefined]);
    await by.opened[0]?.remove();
    await records.pass(500);
    expect(by.done.map((step) => step.replace(/p\d/, 'p'))).toEqual(['drop p at new:1', 'empty new:1']);
    for (const { agreed } of [first, second]) {
      expect(agreed).toMatchObject({ address: 'new:1', settled: true, history: 'h9' });
      expect([agreed?.emptying, agreed?.served]).toEqual([undefined, undefined]);
    }
    expect(records.stored?.record.runId).toBe('process of h9');
  });

  it('is emptied by another proxy when one dies over it, which removes nothing any more', async () => {
    const records = new Records();
    const [one, two] = ['p1', 'p2'].map((id) => new Emptier(records, id)) as [Emptier, Emptier];
    records.settle('p1', OLD, { empties: true, empty: one.empty });
    await records.pass(100);
    const second = records.settle('p2', OLD, { empties: true, empty: () => {} });
    await records.pass(500);
    expect(one.opened.length).toBe(1);
    const third = records.settle('p2', OLD, { empties: true, empty: two.empty });
    await records.pass(2000);
    expect(two.opened.length).toBe(0);
    records.proxies = records.proxies.map((proxy) => ({ ...proxy, alive: proxy.id === 'p2' }));
    await records.pass(500);
    expect(two.done).toEqual(['drop p1,p2 at new:1']);
    await two.opened[0]?.remove();
    await records.pass(500);
    for (const { agreed } of [second, third]) expect(agreed).toMatchObject({ settled: true });
    await expect(one.opened[0]?.remove()).rejects.toThrow('another proxy has taken over');
    expect(one.done).toEqual(['drop p1 at new:1']);
  });

  it('does not serve while it cannot be emptied, also where nobody waits for agreement, and is tried again', async () => {
    const records = lone();
    records.isStrict = false;
    const one = new Emptier(records, 'p1');
    const first = records.settle('p1', OLD, { empties: true, empty: one.empty });
    await records.pass(100);
    one.opened[0]?.fail('NOPERM');
    await records.pass(900);
    expect(one.told).toEqual(['cannot be emptied yet: NOPERM']);
    expect(records.stored?.record.emptying).toEqual({ attempt: '', by: ['p1'] });
    await records.pass(5000);
    expect([first.agreed, one.opened.length]).toEqual([undefined, 2]);
    await one.opened[1]?.remove();
    await records.pass(500);
    expect(first.agreed).toMatchObject({ settled: true });
  });

  it('is not emptied where that is not wanted', async () => {
    const records = lone();
    const first = records.settle('p1', OLD);
    await records.pass(100);
    expect(first.agreed).toMatchObject({ address: 'new:1', settled: true });
  });
});

describe('a master that is recorded', () => {
  const empties = { empties: true };

  it('is not emptied when it has followed who served, or nobody has', async () => {
    for (const before of [{ ...BEFORE }, { ...BEFORE, history: '' }, { ...BEFORE, settled: false }, null]) {
      const records = lone();
      records.stored = before === null ? null : { revision: 1, record: before };
      const look = before?.history === 'h1' && before.settled ? CANDIDATE.look : OLD.look;
      const first = records.settle('p1', { look }, empties);
      await records.pass(100);
      expect(first.agreed).toMatchObject({ address: 'new:1', settled: true });
    }
  });

  it('is compared with who served, not with one in between that never has', async () => {
    for (const history of ['h1', 'h5']) {
      const records = lone();
      const served = { address: 'old:1', history: 'h1', runId: '' };
      const record = { ...BEFORE, address: 'between:1', history: 'h5', settled: false, served };
      records.stored = { revision: 1, record };
      records.settle('p1', { look: () => Promise.resolve(server('h9', history)) }, empties);
      await records.pass(100);
      expect(records.stored?.record.emptying === undefined).toBe(history === 'h1');
    }
  });

  it('is not taken while it does not say what it is', async () => {
    const records = lone();
    records.isStrict = false;
    const first = records.settle('p1', { look: () => Promise.resolve(null) }, empties);
    await records.pass(5000);
    expect([first.agreed, records.stored?.record]).toEqual([undefined, BEFORE]);
  });

  it('is left first, and emptied then, when another process is at its address', async () => {
    const records = lone();
    records.stored = { revision: 1, record: { ...BEFORE, address: 'new:1', runId: 'process' } };
    const restarted: string[] = [];
    const look = () => Promise.resolve(server('h2', 'h1'));
    const noted = records.settle(
      'p1',
      { look, serves: true },
      { ...empties, restarted: () => restarted.push('new:1') },
    );
    await records.pass(100);
    expect([restarted, noted.agreed, records.stored.revision]).toEqual([['new:1'], null, 1]);
    const one = new Emptier(records, 'p1');
    const first = records.settle('p1', { look }, { ...empties, empty: one.empty });
    await records.pass(100);
    expect(records.stored.record).toMatchObject({ serial: 5, settled: false, left: ['p1'] });
    await one.opened[0]?.remove();
    await records.pass(500);
    expect(first.agreed).toMatchObject({ address: 'new:1', settled: true, history: 'h2', runId: 'process of h2' });
  });
});
