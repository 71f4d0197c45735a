import { Backoff } from './backoff.js';

/** The next attempt to reach a node that is down. */
export class Reconnect {
  readonly #attempt: () => void;
  readonly #backoff = new Backoff();
  #timer: NodeJS.Timeout | null = null;

  constructor(attempt: () => void) {
    this.#attempt = attempt;
  }

  get isScheduled(): boolean {
    return this.#timer !== null;
  }

  /** In place of the attempt that is scheduled, if there is one. @param most longest pause before it, in milliseconds */
  schedule(most: number): void {
    this.cancel();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#attempt();
    }, this.#backoff.next(most));
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Pauses begin with the shortest one again. */
  reset(): void {
    this.#backoff.reset();
  }
}
