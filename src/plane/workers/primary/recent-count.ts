import type { Timers } from '../../../time/timers.js';

/** What was counted this long ago weighs a bit more than a third. */
const FADE_MS = 2000;

/** A count of what came lately: the longer ago, the less it weighs. */
export class RecentCount {
  readonly #timers: Pick<Timers, 'now'>;
  #value = 0;
  #at = 0;

  constructor(timers: Pick<Timers, 'now'>) {
    this.#timers = timers;
  }

  get value(): number {
    return this.#value * Math.exp((this.#at - this.#timers.now()) / FADE_MS);
  }

  add(count: number): void {
    this.#value = this.value + count;
    this.#at = this.#timers.now();
  }
}
