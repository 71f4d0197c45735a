/** What the proxies of a ring agree on, without a store and without time that passes by itself. */
import {
  type Agreed,
  Agreement,
  type AgreementPort,
  type Candidate,
  type RingProxy,
  type SettlePorts,
  type StoredAgreed,
} from '../../src/failover/agreement.js';
import type { Server } from '../../src/failover/continuity.js';
import { ManualTimers } from '../support/manual-timers.js';

export const NODE = 'node';
export const BEFORE: Agreed = {
  ...{ address: 'old:1', epoch: 3, history: 'h1', former: null, serial: 4, left: ['p1', 'p2'], settled: true },
  since: '2026-01-01T00:00:00.000Z',
};
export const CANDIDATE: Candidate = {
  found: { address: 'new:1', epoch: 4 },
  former: 'old:1',
  serial: 4,
  serves: false,
  between: new Map(),
  look: () => Promise.resolve(server('h2', 'h1')),
};

/** The candidate, as it says of itself. */
export function server(history: string, formerHistory: string): Server {
  const replication = { role: 'master', history, formerHistory, formerOffset: 10, offset: 12 } as const;
  return { address: 'new:1', runId: `process of ${history}`, replication };
}

interface Settled {
  /** Undefined: nothing yet. */
  agreed: Agreed | null | undefined;
  readonly waits: (readonly string[] | null)[];
}

/** The store of a ring, as two proxies have it. */
export class Records {
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
  settle(id: string, candidate: Partial<Candidate> = {}, ports: Partial<SettlePorts> = {}): Settled {
    const result: Settled = { agreed: undefined, waits: [] };
    const agreement = new Agreement(this.port(id), this.timers, () => {});
    void agreement
      .settle(
        NODE,
        { ...CANDIDATE, ...candidate },
        {
          isWanted: () => true,
          waits: (proxies) => result.waits.push(proxies),
          empties: false,
          restarted: () => {},
          empty: () => {},
          ...ports,
        },
      )
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
