/**
 * What the proxies of a ring agree on of a followed node: which server is its master, and that nobody is at the one before
 * any more. A proxy says that it has left the former master when none of its processes has a connection there; the new one
 * serves, at whichever proxy, when all have said so. One that cannot say it is not alive in the store: then it serves the
 * node no longer than its Sentinels vouch for the master (`TENURE_MS`), and asks the store before it does so again.
 *
 * Where that is wanted, a server that does not go on from who served last is emptied in between (`emptying.ts`): what it
 * has may be of the past.
 */
import type { Timers } from '../time/timers.js';
import { goesOn, type Served, type Server } from './continuity.js';
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
  /** Of the server's process; empty, or missing: it has not said. */
  readonly runId?: string | undefined;
  /** Who served last, until this one does; missing: nobody that is known. */
  readonly served?: Served | undefined;
  /** It does not serve before it is emptied; missing: it need not be. */
  readonly emptying?: Emptying | undefined;
}

export interface Emptying {
  /** Whose turn it is, as a name that no other attempt has; empty: nobody's. */
  readonly attempt: string;
  /** Ids of the proxies that have tried, the last one last: something of theirs may still be on its way. */
  readonly by: readonly string[];
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
  /** What the server says of itself; null: it does not answer, or not as a master. */
  readonly look: () => Promise<Server | null>;
  /** Which history goes on from which, of masters in between that this proxy has seen. */
  readonly between: ReadonlyMap<string, string>;
  /** Who this proxy has followed until now; null: nobody. */
  readonly former: string | null;
  /** It serves, and this proxy has connections to it. */
  readonly serves: boolean;
  /** Of the record that this proxy goes by; 0: none. A later one is not written over. */
  readonly serial: number;
}

export interface SettlePorts {
  /** Whether the candidate is still the one. */
  isWanted(): boolean;
  /** Waits for these, or for the store (none), for longer than a moment. */
  waits(proxies: readonly string[] | null): void;
  /** Whether a server that does not go on from who served last is to be emptied. */
  readonly empties: boolean;
  /** Another process is at the address of the master that serves. */
  restarted(): void;
  /** Gets on with emptying it, if it is this proxy's turn. To be called again. */
  empty(stored: StoredAgreed): void;
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
    let missing: readonly string[] | null = null;
    let last: Agreed | null = null;
    // A server that says nothing cannot serve, and one that is to be emptied must not, whoever waits for it.
    let isHeld = false;
    const isLate = (): boolean => !this.isBinding && !isHeld && this.#timers.now() - since >= PATIENCE_MS;
    let isTold = false;
    while (ports.isWanted() && !isLate()) {
      const next = this.#news();
      missing = null;
      try {
        const stored = await this.#propose(node, candidate, ports.empties);
        if (stored === 'restarted') {
          ports.restarted();
          return null;
        }
        isHeld = stored === 'silent' || (stored !== null && stored.record.emptying !== undefined);
        if (stored !== null && stored !== 'silent') {
          last = stored.record;
          if (last.settled || last.address !== candidate.found.address) return last;
          missing = await this.#missing(last, since);
          if (missing.length === 0 && last.emptying !== undefined) ports.empty(stored);
          else if (missing.length === 0) {
            const { served: _served, ...serves } = last;
            last = { ...serves, settled: true };
            await this.#port.save(node, stored.revision, last).catch(() => {});
            return last;
          }
        }
      } catch {
        // The store does not answer: where that is not to be waited for, time ends it.
      }
      if (!isTold && !isHeld && this.#timers.now() - since >= PATIENCE_MS) {
        isTold = true;
        ports.waits(missing);
      }
      await next(missing === null && !isHeld ? 20 : LOOK_MS);
    }
    return last;
  }

  /**
   * @returns what stands there now, with this proxy's word; null: somebody else was faster; `silent`: nothing, since the
   *   server does not say what it is; `restarted`: nothing, since this proxy has to leave the server first
   */
  async #propose(
    node: string,
    candidate: Candidate,
    empties: boolean,
  ): Promise<StoredAgreed | null | 'silent' | 'restarted'> {
    const { found, former, serial, between } = candidate;
    const { ownId } = this.#port;
    const stored = await this.#port.load(node);
    const before = stored?.record ?? null;
    if (before !== null && before.address !== found.address && before.serial > serial) return stored;
    const server = await candidate.look();
    const history = server?.replication.history ?? '';
    const served = before === null ? null : servedLast(before);
    const isRestarted = empties && before?.address === found.address && isAnother(before, server, between);
    if (isRestarted && candidate.serves) return 'restarted';
    let record: Agreed;
    if (before === null || before.address !== found.address || isRestarted) {
      if (empties && served !== null && server === null) return 'silent';
      const isOld = isRestarted || (empties && isStrange(server, served, between));
      const last = before?.address ?? former;
      record = {
        ...{ address: found.address, epoch: found.epoch, history, runId: server?.runId, former: last },
        ...{ serial: (before?.serial ?? serial) + 1, left: [ownId], settled: last === null },
        since: new Date().toISOString(),
        ...(served === null ? {} : { served }),
        ...(isOld ? { emptying: { attempt: '', by: [] } } : {}),
      };
    } else {
      const left = before.settled || before.left.includes(ownId) ? before.left : [...before.left, ownId];
      record = { ...before, epoch: found.epoch, left, ...(server === null ? {} : { history, runId: server.runId }) };
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

/** Whether what the server has may be older than what clients were answered by who served last. */
function isStrange(server: Server | null, served: Served | null, between: ReadonlyMap<string, string>): boolean {
  return server !== null && served !== null && !goesOn(server, served, between);
}

/** Who has served by now, as it is known from the record. */
export function servedLast({ settled, emptying, served, address, history, runId = '' }: Agreed): Served | null {
  if (settled && emptying === undefined) return history === '' ? null : { address, history, runId };
  return served ?? null;
}

/** Whether another process is at the master's address than the one that was recorded, which has not followed anybody since. */
function isAnother(
  { address, history, runId = '', emptying }: Agreed,
  server: Server | null,
  between: ReadonlyMap<string, string>,
): boolean {
  if (server === null || history === '' || emptying !== undefined) return false;
  return !goesOn(server, { address, history, runId }, between);
}
