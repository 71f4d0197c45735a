/**
 * How fast the sweep of one source may go. Without clients: as fast as the nodes take it. While clients are served, batches
 * are smaller and each is followed by a pause, so that most of the nodes' time is the clients'.
 */

import { systemTimers, type Timers } from '../time/timers.js';

/** Keys of a batch, at most. */
const BATCH_KEYS = 128;
/** Each batch wakes both nodes and this process three times, which costs more than some keys: so they are few, and not small. */
const BUSY_BATCH_KEYS = 96;
/** Batches grow while they take less than this, and shrink when they take twice as long. */
const BATCH_GOAL_MS = 4;
/** While clients are served, about so many batches are on their way at a time, of all sources of the fleet together. */
const BUSY_SHARE = 1;
/** Keys that one SCAN looks at: with 512 it stops a node with a million keys for 0.3 ms and more. */
const SCAN_KEYS = 1024;
const BUSY_SCAN_KEYS = 128;
/** Behind a batch at least, for each source that is being swept: together they begin no more batches than one alone. */
const BUSY_PAUSE_MS = 5;
/** The least time is forgotten slowly: nodes may come to be farther away. */
const LEAST_DECAY = 1.01;
/** Throttled sweeps make at least so many batches a second, each: steps, and not bursts with long pauses. */
const THROTTLED_BATCHES = 10;
/** However slow the nodes are, the sweep gets on. */
const LONGEST_PAUSE_MS = 1000;

export class Pace {
  readonly #isBusy: () => boolean;
  readonly #sources: () => number;
  readonly #clock: Pick<Timers, 'now'>;
  /** Keys a second of all sources together, of which this one takes its part; 0: as fast as it goes. */
  #throttle = 0;
  /** When the next batch may begin, because of the throttle. */
  #nextAt = 0;
  #batchKeys = 16;
  /** What a batch takes at least, in milliseconds: the way to the nodes and back, which is nobody's work. */
  #leastTook = Number.POSITIVE_INFINITY;

  /**
   * @param isBusy whether clients are being served
   * @param sources how many are being swept, by whichever proxy
   */
  constructor(isBusy: () => boolean, sources: () => number, clock: Pick<Timers, 'now'> = systemTimers) {
    this.#isBusy = isBusy;
    this.#sources = sources;
    this.#clock = clock;
  }

  throttle(keysPerSecond: number): void {
    this.#throttle = keysPerSecond;
    this.#nextAt = 0;
  }

  /** 0: as fast as it goes. */
  get keysPerSecond(): number {
    return this.#throttle;
  }

  /** COUNT of the next SCAN. */
  get scanKeys(): number {
    return this.#isBusy() ? BUSY_SCAN_KEYS : SCAN_KEYS;
  }

  /** Keys of the next batch, 1 to 128. */
  get batchKeys(): number {
    const most = this.#isBusy() ? Math.min(this.#batchKeys, BUSY_BATCH_KEYS) : this.#batchKeys;
    if (this.#throttle === 0) return most;
    return Math.min(most, Math.max(1, Math.floor(this.#share / THROTTLED_BATCHES)));
  }

  /**
   * Notes a batch that is done.
   * @param took milliseconds
   * @returns milliseconds to wait before the next one
   */
  after(keys: number, took: number): number {
    // Large values make for small batches.
    this.#leastTook = Math.min(this.#leastTook * LEAST_DECAY, took);
    const work = took - this.#leastTook;
    if (work > BATCH_GOAL_MS * 2) this.#batchKeys = Math.max(1, Math.floor(keys / 2));
    else if (work < BATCH_GOAL_MS && keys >= this.#batchKeys) this.#batchKeys = Math.min(BATCH_KEYS, keys * 2);
    let pause = 0;
    if (this.#isBusy()) {
      const active = this.#active;
      pause = Math.min(LONGEST_PAUSE_MS, Math.max(BUSY_PAUSE_MS * active, work * (active / BUSY_SHARE - 1)));
    }
    if (this.#throttle > 0) {
      const now = this.#clock.now();
      this.#nextAt = Math.max(now, this.#nextAt) + (keys / this.#share) * 1000;
      pause = Math.max(pause, this.#nextAt - now);
    }
    return pause;
  }

  /** Sources that are being swept, with this one. */
  get #active(): number {
    return Math.max(1, this.#sources());
  }

  /** Keys a second of this source. */
  get #share(): number {
    return this.#throttle / this.#active;
  }
}
