const WINDOW_MS = 100;

/** Tells whether commands were answered in the last tenth of a second or so. */
export class TrafficDetector {
  readonly #count: () => number;
  #seen = 0;
  #busy = true;
  #checkedAt = 0;

  /** @param count commands so far */
  constructor(count: () => number) {
    this.#count = count;
  }

  isBusy(): boolean {
    const now = performance.now();
    if (now - this.#checkedAt < WINDOW_MS) return this.#busy;
    this.#checkedAt = now;
    const count = this.#count();
    this.#busy = count !== this.#seen;
    this.#seen = count;
    return this.#busy;
  }
}
