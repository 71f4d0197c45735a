/**
 * Keeps the mirror of a ring's prefix up to date: a read, then a watch from there. A watch that breaks is followed by
 * another one from where it was, at another endpoint where there is one; where that is not kept any more, by a read.
 *
 * A watch is silent when nothing is written, when its connection is dead, and when its member is cut off. Which of
 * these, the answers to other requests tell: they carry etcd's revision. One that has risen without anything being told
 * is mostly another user's of this etcd; so it is compared what stands there, and a watch that has missed something is
 * begun anew.
 */
import { type EtcdClient, EtcdError, watch } from '../../../etcd/index.js';
import type { Timers } from '../../../time/timers.js';
import { LATE, within } from '../../../time/within.js';
import type { Revision } from '../../state/fleet.js';
import type { RingKeys } from './keys.js';
import type { Mirror, Told } from './mirror.js';
import type { EtcdParts } from './parts.js';

export interface FollowerTimes {
  /** How long a watch that has missed something may take to tell it, in milliseconds. */
  readonly grace: number;
  /** From one look at what stands there to the next one. */
  readonly look: number;
  /** Between two tries to begin a watch: the first follows at once. */
  readonly pause: { readonly first: number; readonly most: number };
}

export const FOLLOWER_TIMES: FollowerTimes = { grace: 1000, look: 10_000, pause: { first: 100, most: 2000 } };

/** For a look: it must not hold up anything. */
const LOOK_PATIENCE = { total: 3000, each: 1000 };

export interface FollowerListener {
  /** What has changed, in order; the mirror has it. */
  told(told: readonly Told[]): void;
  /** etcd's revision has gone back: it was restored from a backup. */
  reset(): void;
}

export class Follower {
  readonly #client: EtcdClient;
  readonly #keys: RingKeys;
  readonly #mirror: Mirror;
  readonly #listener: FollowerListener;
  readonly #timers: Timers;
  readonly #times: FollowerTimes;
  #isClosed = false;
  #isReadNeeded = true;
  #running: Promise<void> | null = null;
  /** Ends the watch of the moment. */
  #watching = new AbortController();
  /** What was read first; or why that has failed for the time being. */
  #first = waiting();
  #endLooks: () => void = () => {};
  /** Up to this revision nothing is missing in the mirror, as far as a look has found out. */
  #confirmed: Revision = 0;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  /** Those who wait for the mirror. */
  readonly #moved = new Set<() => void>();
  /** What ends pauses. */
  readonly #pauses = new Set<() => void>();

  constructor(
    { client, keys, timers }: Pick<EtcdParts, 'client' | 'keys' | 'timers'>,
    mirror: Mirror,
    listener: FollowerListener,
    times: FollowerTimes = FOLLOWER_TIMES,
  ) {
    this.#client = client;
    this.#keys = keys;
    this.#mirror = mirror;
    this.#listener = listener;
    this.#timers = timers;
    this.#times = times;
  }

  /**
   * Begins, and from then on goes on trying whatever happens, until it is closed.
   * @returns when the mirror is filled. @throws EtcdError when it could not be read now; to be called again
   */
  async open(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#run();
      this.#endLooks = this.#timers.every(this.#times.look, () => {
        if (this.#timers.now() - this.#confirmedAt >= this.#times.look) void this.#look();
      });
    }
    await this.#first.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endLooks();
    this.#watching.abort();
    this.#wake();
    for (const done of this.#pauses) done();
    await this.#running;
  }

  /** Reads everything. @throws EtcdError */
  async read(): Promise<void> {
    const isReset = this.#isReadNeeded;
    const { answer } = await this.#client.txn({ run: this.#keys.watched.map((read) => ({ read })) });
    const { revision } = answer.header;
    if (revision < this.#mirror.revision) {
      // The watch may have been faster.
      if (!isReset) return;
      this.#listener.reset();
    }
    const entries = answer.responses.flatMap(({ response_range }) => response_range?.kvs ?? []);
    this.#isReadNeeded = false;
    const told = this.#mirror.replace(entries, revision);
    this.#confirm(revision);
    this.#first.done();
    this.#wake();
    this.#listener.told(told);
  }

  /** Waits until the mirror has this revision. @returns whether it has */
  async reaches(revision: Revision, milliseconds: number): Promise<boolean> {
    const end = this.#timers.now() + milliseconds;
    while (this.#mirror.revision < revision) {
      const left = end - this.#timers.now();
      if (this.#isClosed || left <= 0) return false;
      let wake: () => void = () => {};
      const moved = new Promise<void>((resolve) => {
        wake = resolve;
        this.#moved.add(wake);
      });
      const outcome = await within(left, moved, this.#timers);
      this.#moved.delete(wake);
      if (outcome === LATE) return this.#mirror.revision >= revision;
    }
    return true;
  }

  /** Takes note of etcd's revision, as another request was told it. */
  heard(revision: Revision): void {
    if (revision <= Math.max(this.#mirror.revision, this.#confirmed)) {
      this.#confirmedAt = this.#timers.now();
      return;
    }
    void this.#look();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosed; ) {
      this.#watching = new AbortController();
      try {
        if (this.#isReadNeeded) await this.read();
        const began = this.#timers.now();
        await this.#watch();
        // One that ends as soon as it has begun is no better than one that does not begin.
        if (this.#timers.now() - began >= this.#times.pause.most) failures = 0;
      } catch (error) {
        this.#first.fail(error);
        // Whoever opens it again waits for the next try.
        this.#first = waiting();
      }
      if (this.#isClosed) return;
      if (failures > 0) {
        const { first, most } = this.#times.pause;
        await this.#pause(Math.min(most, first * 2 ** (failures - 1)));
      }
      failures++;
    }
  }

  async #watch(): Promise<void> {
    const end = await watch(this.#client, this.#keys.all, this.#mirror.revision + 1, this.#watching.signal, {
      begun: (revision) => {
        // Its data are from before: it was restored from a backup, or lags behind. Only a read tells.
        if (revision < this.#mirror.revision) this.#beginAnew();
      },
      told: (events) => {
        const told = this.#mirror.apply(events);
        this.#wake();
        this.#listener.told(told);
      },
    });
    if (end.kind === 'compacted') this.#isReadNeeded = true;
  }

  /** Compares what stands in etcd with what is known. */
  async #look(): Promise<void> {
    if (this.#isLooking || this.#isReadNeeded || this.#isClosed) return;
    const now = this.#timers.now();
    if (now - this.#lookedAt < this.#times.look) return;
    this.#isLooking = true;
    this.#lookedAt = now;
    try {
      const reads = this.#keys.watched.map((range) => ({
        read: { ...range, limit: 1, order: 'newest-first', keysOnly: true } as const,
      }));
      const { answer } = await this.#client.txn({ run: reads }, LOOK_PATIENCE);
      const ranges = answer.responses.flatMap(({ response_range }) => response_range ?? []);
      const newest = Math.max(0, ...ranges.flatMap(({ kvs }) => kvs.map((kv) => kv.mod_revision)));
      const count = ranges.reduce((sum, range) => sum + range.count, 0);
      const { revision } = answer.header;
      const isComplete = (): boolean =>
        this.#mirror.revision >= revision || (newest <= this.#mirror.revision && count === this.#mirror.size);
      if (!isComplete()) await this.#pause(this.#times.grace);
      if (isComplete()) this.#confirm(revision);
      else if (!this.#isClosed) this.#beginAnew();
    } catch (error) {
      // The watch is not to blame: it is looked at again when etcd answers.
      if (!(error instanceof EtcdError)) throw error;
    } finally {
      this.#isLooking = false;
    }
  }

  #confirm(revision: Revision): void {
    this.#confirmed = Math.max(this.#confirmed, revision);
    this.#confirmedAt = this.#timers.now();
  }

  #beginAnew(): void {
    this.#isReadNeeded = true;
    this.#watching.abort();
  }

  #wake(): void {
    for (const wake of this.#moved) wake();
  }

  /** Ends early when this is closed. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve();
      const done = (): void => {
        stop();
        this.#pauses.delete(done);
        resolve();
      };
      const stop = this.#timers.after(milliseconds, done);
      this.#pauses.add(done);
    });
  }
}

interface Waiting {
  readonly promise: Promise<void>;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

function waiting(): Waiting {
  let done: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    done = resolve;
    fail = reject;
  });
  // Somebody may wait, or nobody.
  promise.catch(() => {});
  return { promise, done, fail };
}
