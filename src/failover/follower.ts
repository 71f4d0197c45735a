/** Follows one node: asks again and again where its master is, more often while something is about to change. */
import type { Timers } from '../time/timers.js';
import type { Replication } from './replication.js';
import type { ReplicationProbe, Source } from './sources.js';
import type { Found, Verdict } from './votes.js';

export interface FollowerOptions {
  readonly source: Source;
  /** To ask the master itself how far it is. */
  readonly probe: (address: string) => ReplicationProbe;
  /** Milliseconds between two questions. */
  readonly interval: number;
  readonly timers: Timers;
  /** Another master than before, or the first one. */
  readonly onFound: (found: Found) => void;
  /** Each verdict's `why`, when it becomes another one. */
  readonly onStrange: (why: string) => void;
}

/** Between two questions while something is about to change. Milliseconds. */
const SOON_MS = 100;
/** How long something is about to change after it was heard of. Milliseconds. */
const ALERT_MS = 5000;

export class Follower {
  readonly #options: FollowerOptions;
  #found: Found | null = null;
  /** What is remembered of before this process. */
  #remembered: Found | null = null;
  /** When they were asked who have vouched for `found` last. */
  #vouchedAt = Number.NEGATIVE_INFINITY;
  #why = '';
  #probe: ReplicationProbe | null = null;
  #seen: Replication | null = null;
  /** What the master says that it is; null: it did not answer. */
  #says: Replication['role'] | null = null;
  #alertUntil = 0;
  #asking = false;
  #isWanted = false;
  #stopTimer = (): void => {};
  #closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Null: it was not told yet. */
  get found(): Found | null {
    return this.#found;
  }

  /** When those were asked who have said last that `found` is it, by the timers' clock. */
  get vouchedAt(): number {
    return this.#vouchedAt;
  }

  /** Who was master before this process began: what is older does not count. */
  remember(found: Found, history: string): void {
    this.#remembered = found;
    if (history !== '') this.#options.source.remember(history);
    if (this.#found === null) this.#useProbe(found.address);
  }

  /** Somebody who knows better says who is master. */
  adopt(found: Found, history: string): void {
    this.remember(found, history);
    if (this.#closed || this.#found?.address === found.address) return;
    this.#found = found;
    this.#useProbe(found.address);
    this.#options.onFound(found);
    this.#seen = null;
    this.look();
  }

  /** A person has taken back what is remembered: where the master does not answer, another one may take its place. */
  forget(): void {
    if (this.#says === 'master') return;
    this.#found = null;
    this.#remembered = null;
    this.#options.source.remember('');
    this.look();
  }

  /** Why there is no master, as a predicate of the node; or what is strange; or empty. */
  get why(): string {
    return this.#why;
  }

  /** What the master has last said of itself. */
  get seen(): Replication | null {
    return this.#seen;
  }

  /** Something may have changed: asks at once, and more often for a while. */
  look(): void {
    this.#alertUntil = this.#options.timers.now() + ALERT_MS;
    this.#isWanted = true;
    if (!this.#asking) void this.#ask();
  }

  /** Settles when a first answer is known, be it that there is none. */
  firstAnswer(): Promise<void> {
    if (this.#found !== null || this.#why !== '' || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer();
    this.#probe?.close();
    this.#options.source.close();
    this.#release();
  }

  async #ask(): Promise<void> {
    const { source, timers, interval } = this.#options;
    this.#stopTimer();
    this.#asking = true;
    while (this.#isWanted && !this.#closed) {
      this.#isWanted = false;
      const seen = this.#probe === null ? null : await this.#probe.read();
      this.#says = seen?.role ?? null;
      if (seen?.role === 'master') {
        this.#seen = seen;
        source.remember(seen.history);
      }
      const current = this.#found ?? this.#remembered;
      const askedAt = timers.now();
      const verdict = await source.ask(current, this.#says);
      if (this.#closed) break;
      // What was judged by another master than that of now is asked anew.
      if (current?.address !== (this.#found ?? this.#remembered)?.address) this.#isWanted = true;
      else this.#take(verdict, askedAt);
    }
    this.#asking = false;
    if (this.#closed) return;
    const isCalm = timers.now() > this.#alertUntil;
    // A tenth of jitter keeps many proxies from asking in step.
    const pause = (isCalm ? interval : Math.min(interval, SOON_MS)) * (0.95 + Math.random() / 10);
    this.#stopTimer = timers.after(pause, () => {
      this.#isWanted = true;
      void this.#ask();
    });
  }

  #take({ found, why }: Verdict, askedAt: number): void {
    const before = this.#found;
    const wasWhy = this.#why;
    this.#why = why;
    if (found !== null && (before === null || found.address !== before.address)) {
      this.#found = found;
      this.#useProbe(found.address);
      this.#vouchedAt = askedAt;
      this.#options.onFound(found);
      this.#seen = null;
    } else if (found !== null) {
      this.#found = found;
      this.#vouchedAt = askedAt;
    }
    if (why !== wasWhy) {
      this.#alertUntil = this.#options.timers.now() + ALERT_MS;
      this.#options.onStrange(why);
    }
    this.#release();
  }

  #useProbe(address: string): void {
    this.#probe?.close();
    this.#probe = this.#options.probe(address);
  }

  #release(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
