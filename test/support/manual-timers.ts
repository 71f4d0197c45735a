import type { Timers } from '../../src/time/timers.js';

interface Timer {
  at: number;
  readonly every: number | null;
  readonly callback: () => void;
}

/** Time that passes when the test says so. */
export class ManualTimers implements Timers {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    return this.#add({ at: this.#now + milliseconds, every: null, callback });
  }

  every(milliseconds: number, callback: () => void): () => void {
    return this.#add({ at: this.#now + milliseconds, every: milliseconds, callback });
  }

  /** Those that have not been called, or taken back. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets so many milliseconds pass; what falls due is called in its order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#now = next.at;
      if (next.every === null) this.#timers.delete(next);
      else next.at += next.every;
      next.callback();
    }
    this.#now = end;
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}
