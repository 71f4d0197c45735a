/**
 * What the proxies of a ring agree on of a followed node: which server is its master, and that nobody is at the one before
 * any more. A proxy says that it has left the former master when none of its processes has a connection there; the new one
 * serves, at whichever proxy, when all have said so. One that cannot say it is not alive in the store: then it serves the
 * node no longer than its Sentinels vouch for the master (`TENURE_MS`), and asks the store before it does so again.
 */
import type { Timers } from '../time/timers.js';
import type { Found } from './votes.js';

/** A master that is agreed on. */
export interface Agreed {
  readonly address: string;
  readonly epoch: number | null;
  /** Of the writes that it has; empty: it has not said. */
  readonly history: string;
  /** Who was it before; null: nobody that is known. */
  readonly former: string | null;
  /** Grows with each master. */
  readonly serial: number;
  /** Proxies that have left the former one. */
  readonly left: readonly string[];
  /** Nobody is waited for any more. */
  readonly settled: boolean;
  /** ISO date. */
  readonly since: string;
}

export interface StoredAgreed {
  readonly revision: number;
  readonly record: Agreed;
}

/** A proxy that may have connections to nodes. */
export interface RingProxy {
  readonly id: string;
  /** Its lease holds. */
  readonly alive: boolean;
  /** It is of a version that says when it has left a master. */
  readonly agrees: boolean;
}

/** Where it is recorded. */
export interface AgreementPort {
  readonly ownId: string;
  /** A read that cannot be stale. @throws Error when there is no answer */
  load(node: string): Promise<StoredAgreed | null>;
  /** @returns null: somebody else has written since. @throws Error when it may not have been written */
  save(node: string, expected: number | null, record: Agreed): Promise<number | null>;
  /** @throws Error when it may not have been forgotten */
  forget(node: string): Promise<void>;
  /** Tells of each record, and of proxies that come, go and change (`node` is null). @returns what ends it */
  watch(listener: (node: string | null, stored: StoredAgreed | null) => void): () => void;
  /** Without those that were fenced off. @throws Error */
  proxies(): Promise<readonly RingProxy[]>;
  /** Until when this proxy's lease holds for certain, by `now`; infinite: nobody else serves the ring. */
  readonly validUntil: number;
  /** By the clock of leases. Milliseconds. */
  now(): number;
  /** Nothing is served that is not agreed on. */
  readonly isStrict: boolean;
}

/**
 * For so long a proxy whose lease has run out serves a master that a majority of its Sentinels has vouched for, counted
 * from when they were asked. Milliseconds.
 */
export const TENURE_MS = 3000;
/** Whoever waits for that to be over waits for this much more: clocks may go a little apart. Milliseconds. */
const MARGIN_MS = 500;
/** Where it is not to be waited for agreement. Milliseconds. */
const PATIENCE_MS = 500;
/** It is looked again whether all have left; news make it sooner. Milliseconds. */
const LOOK_MS = 200;

export interface Candidate {
  readonly found: Found;
  readonly history: string;
  /** Who this proxy has followed until now; null: nobody. */
  readonly former: string | null;
  /** Of the record that this proxy goes by; 0: none. A later one is not written over. */
  readonly serial: number;
}

export interface SettlePorts {
  /** Whether the candidate is still the one. */
  isWanted(): boolean;
  /** Waits for these, or for the store (none), for longer than a moment. */
  waits(proxies: readonly string[] | null): void;
}

export class Agreement {
  readonly #port: AgreementPort;
  readonly #timers: Timers;
  readonly #wakes = new Set<() => void>();
  readonly #endWatch: () => void;

  /** @param told of what is recorded, also by this proxy; null: it was forgotten */
  constructor(port: AgreementPort, timers: Timers, told: (node: string, stored: StoredAgreed | null) => void) {
    this.#port = port;
    this.#timers = timers;
    this.#endWatch = port.watch((node, stored) => {
      if (node !== null) told(node, stored);
      for (const wake of [...this.#wakes]) wake();
    });
  }

  /** Nothing may be served that is not agreed on: others serve the ring, and it is strict. */
  get isBinding(): boolean {
    return this.#port.isStrict && this.#port.validUntil !== Number.POSITIVE_INFINITY;
  }

  /** Others wait for this proxy before they serve another master. */
  get isWaitedFor(): boolean {
    return !this.isBinding || this.#port.now() < this.#port.validUntil;
  }

  load(node: string): Promise<StoredAgreed | null> {
    return this.#port.load(node);
  }

  async hasOthers(): Promise<boolean> {
    const proxies = await this.#port.proxies().catch(() => []);
    return proxies.some(({ id, alive }) => alive && id !== this.#port.ownId);
  }

  /** Later, or never: it is no more than a memory. */
  forget(node: string): void {
    this.#port.forget(node).catch(() => {});
  }

  close(): void {
    this.#endWatch();
    for (const wake of [...this.#wakes]) wake();
  }

  /**
   * Agrees on a master. To be called when this proxy has left the former one.
   * @returns what is agreed on, which may be another master; null: nothing, and it is not waited for, or not wanted any more
   */
  async settle(node: string, candidate: Candidate, ports: SettlePorts): Promise<Agreed | null> {
    const since = this.#timers.now();
    const isOver = (): boolean => !ports.isWanted() || (!this.isBinding && this.#timers.now() - since >= PATIENCE_MS);
    let isTold = false;
    let last: Agreed | null = null;
    while (!isOver()) {
      const next = this.#news();
      let missing: readonly string[] | null = null;
      try {
        const stored = await this.#propose(node, candidate);
        if (stored !== null) {
          last = stored.record;
          if (last.settled || last.address !== candidate.found.address) return last;
          missing = await this.#missing(last, since);
          if (missing.length === 0) {
            await this.#port.save(node, stored.revision, { ...last, settled: true }).catch(() => {});
            return { ...last, settled: true };
          }
        }
      } catch {
        // The store does not answer: where that is not to be waited for, time ends it.
      }
      if (!isTold && this.#timers.now() - since >= PATIENCE_MS) {
        isTold = true;
        ports.waits(missing);
      }
      await next(missing === null ? 20 : LOOK_MS);
    }
    return last;
  }

  /** @returns what stands there now, with this proxy's word; null: somebody else was faster */
  async #propose(node: string, candidate: Candidate): Promise<StoredAgreed | null> {
    const { found, history, former, serial } = candidate;
    const { ownId } = this.#port;
    const stored = await this.#port.load(node);
    let record: Agreed;
    if (stored === null || (stored.record.address !== found.address && stored.record.serial <= serial)) {
      const before = stored?.record.address ?? former;
      record = {
        ...{ address: found.address, epoch: found.epoch, history, former: before },
        ...{ serial: (stored?.record.serial ?? serial) + 1, left: [ownId], settled: before === null },
        since: new Date().toISOString(),
      };
    } else if (stored.record.address !== found.address) return stored;
    else {
      const { record: before } = stored;
      const left = before.settled || before.left.includes(ownId) ? before.left : [...before.left, ownId];
      record = { ...before, epoch: found.epoch, history: history === '' ? before.history : history, left };
      if (JSON.stringify(record) === JSON.stringify(before)) return stored;
    }
    const revision = await this.#port.save(node, stored?.revision ?? null, record);
    return revision === null ? null : { revision, record };
  }

  /** @returns who may still be at the former master */
  async #missing({ left }: Agreed, since: number): Promise<readonly string[]> {
    const others = (await this.#port.proxies()).filter(({ id, agrees }) => agrees && !left.includes(id));
    if (others.length === 0) return [];
    const ids = others.map(({ id }) => id);
    if (others.some(({ alive }) => alive)) return ids;
    // They have left it by themselves by then. That it has dropped their connections, or nobody listens there, would not do:
    // one whose way to the store comes back may connect anew before it hears of this.
    return this.#timers.now() - since > TENURE_MS + MARGIN_MS ? [] : ids;
  }

  /** @returns waits for news from now on, but no longer than so many milliseconds */
  #news(): (milliseconds: number) => Promise<void> {
    let isThere = false;
    let end = (): void => {};
    const wake = (): void => {
      isThere = true;
      end();
    };
    this.#wakes.add(wake);
    return (milliseconds) =>
      new Promise((resolve) => {
        const stop = this.#timers.after(milliseconds, wake);
        end = () => {
          stop();
          this.#wakes.delete(wake);
          resolve();
        };
        if (isThere) end();
      });
  }
}
