import { monotonicNow } from './monotonic.js';

/** How long something has run, without its pauses. It runs from the start. */
export class Stopwatch {
  readonly #now: () => number;
  /** Milliseconds, until it was stopped last. */
  #before = 0;
  /** Null: it stands. */
  #since: number | null;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = monotonicNow) {
    this.#now = now;
    this.#since = now();
  }

  get seconds(): number {
    return (this.#before + (this.#since === null ? 0 : this.#now() - this.#since)) / 1000;
  }

  run(runs: boolean): void {
    if (runs === (this.#since !== null)) return;
    this.#before = this.seconds * 1000;
    this.#since = runs ? this.#now() : null;
  }
}
