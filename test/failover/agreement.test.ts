import { describe, expect, it } from 'vitest';
import {
  type Agreed,
  Agreement,
  type AgreementPort,
  type Candidate,
  type RingProxy,
  type StoredAgreed,
} from '../../src/failover/agreement.js';
import { ManualTimers } from '../support/manual-timers.js';

const NODE = 'node';
const BEFORE: Agreed = {
  ...{ address: 'old:1', epoch: 3, history: 'h1', former: null, serial: 4, left: ['p1', 'p2'], settled: true },
  since: '2026-01-01T00:00:00.000Z',
};
const CANDIDATE: Candidate = { found: { address: 'new:1', epoch: 4 }, history: 'h2', former: 'old:1', serial: 4 };

/** The store of a ring, as two proxies have it. */
class Records {
  stored: StoredAgreed | null = { revision: 1, record: BEFORE };
  proxies: RingProxy[] = ['p1', 'p2'].map((id) => ({ id, alive: true, agrees: true }));
  isStrict = true;
  isThere = true;
  readonly timers = new ManualTimers();
  readonly #listeners = new Set<(node: string | null, stored: StoredAgreed | null) => void>();

  port(ownId: string): AgreementPort {
    const there = <T>(value: T): Promise<T> =>
      this.isThere ? Promise.resolve(value) : Promise.reject(new Error('no answer'));
    const records = this;
    return {
      ...{ ownId, validUntil: 1000, now: () => 0 },
      get isStrict() {
        return records.isStrict;
      },
      load: () => there(this.stored),
      save: async (_node, expected, record) => {
        await there(null);
        if ((this.stored?.revision ?? null) !== expected) return null;
        this.stored = { revision: (expected ?? 0) + 1, record };
        this.news();
        return this.stored.revision;
      },
      forget: () => Promise.resolve(),
      watch: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      proxies: () => there(this.proxies),
    };
  }

  news(): void {
    for (const listener of this.#listeners) listener(NODE, this.stored);
  }

  /** One proxy follows the candidate. @returns what has come of it */
  settle(id: string): { agreed: Agreed | null | undefined; waits: (readonly string[] | null)[] } {
    const result: ReturnType<Records['settle']> = { agreed: undefined, waits: [] };
    const agreement = new Agreement(this.port(id), this.timers, () => {});
    void agreement
      .settle(NODE, CANDIDATE, {
        isWanted: () => true,
        waits: (proxies) => result.waits.push(proxies),
      })
      .then((agreed) => {
        result.agreed = agreed;
      });
    return result;
  }

  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed <= milliseconds; passed += 100) {
      this.timers.advance(Math.min(100, milliseconds));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe('a new master serves', () => {
  it('when every proxy has left the former one, at all of them', async () => {
    const records = new Records();
    const first = records.settle('p1');
    await records.pass(1000);
    expect(first).toEqual({ agreed: undefined, waits: [['p2']] });
    expect(records.stored?.record).toMatchObject({ former: 'old:1', serial: 5, left: ['p1'], settled: false });
    const second = records.settle('p2');
    await records.pass(100);
    for (const { agreed } of [first, second]) expect(agreed).toMatchObject({ address: 'new:1', settled: true });
    // Who comes later waits for nobody.
    records.proxies.push({ id: 'p3', alive: true, agrees: true }, { id: 'p4', alive: true, agrees: true });
    const third = records.settle('p3');
    await records.pass(0);
    expect(third.agreed).toMatchObject({ address: 'new:1', serial: 5 });
  });

  it('when a proxy whose lease has run out has left it by itself', async () => {
    const records = new Records();
    records.proxies = records.proxies.map((proxy) => ({ ...proxy, alive: proxy.id === 'p1' }));
    const first = records.settle('p1');
    await records.pass(3000);
    expect(first.agreed).toBeUndefined();
    await records.pass(1000);
    expect(first.agreed).toMatchObject({ address: 'new:1' });
  });

  it('not before it is recorded; where the ring is available, without that', async () => {
    const records = new Records();
    records.isThere = false;
    const first = records.settle('p1');
    await records.pass(5000);
    expect(first).toEqual({ agreed: undefined, waits: [null] });
    records.isStrict = false;
    await records.pass(100);
    expect(first.agreed).toBeNull();
  });

  it('without the word of a proxy of an older version', async () => {
    const records = new Records();
    records.proxies = records.proxies.map((proxy) => ({ ...proxy, agrees: proxy.id === 'p1' }));
    const first = records.settle('p1');
    await records.pass(0);
    expect(first.agreed).toMatchObject({ address: 'new:1' });
  });

  it('unless others have agreed on a later one', async () => {
    const records = new Records();
    records.stored = { revision: 2, record: { ...BEFORE, address: 'newest:1', serial: 5 } };
    const first = records.settle('p1');
    await records.pass(0);
    expect(first.agreed).toMatchObject({ address: 'newest:1' });
    expect(records.stored.revision).toBe(2);
  });
});
