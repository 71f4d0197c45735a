/** When something is asked for that need not be new each second. */
export class Asking {
  readonly #interval: number;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** @param interval milliseconds */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** @returns whether it is time to ask, which is then done */
  isDue(): boolean {
    const now = performance.now();
    if (now - this.#askedAt < this.#interval) return false;
    this.#askedAt = now;
    return true;
  }

  /** What was answered is not true any more. */
  outdate(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }
}
