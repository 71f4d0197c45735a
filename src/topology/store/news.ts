import type { RingRecords } from './ring-store.js';

/**
 * Waits for what a store tells next. Whoever waits for something that is recorded looks in turns: `next()`, then what is
 * there, then waits for what `next` has given; so nothing that is told between a look and the wait is missed.
 */
export class StoreNews {
  #wake: () => void = () => {};
  readonly #endWatch: () => void;

  constructor(store: Pick<RingRecords, 'watch'>) {
    this.#endWatch = store.watch(() => this.#wake());
  }

  /** @returns when the store has told anything since, or `wake` was called */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Ends the wait: whoever waits looks again. */
  wake(): void {
    this.#wake();
  }

  end(): void {
    this.#endWatch();
  }
}
