/** Asks for what need not be new each second. */
export class Asking<View> {
  readonly #interval: number;
  readonly #ask: () => Promise<View>;
  readonly #show: (view: View) => void;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** @param interval milliseconds */
  constructor(interval: number, ask: () => Promise<View>, show: (view: View) => void) {
    this.#interval = interval;
    this.#ask = ask;
    this.#show = show;
  }

  /** Asks, if what is shown is not new. What fails here fails for the rest of the page, too, which says so. */
  refresh(): void {
    const now = performance.now();
    if (now - this.#askedAt < this.#interval) return;
    this.#askedAt = now;
    this.#ask().then(this.#show, () => {});
  }

  /** What was answered is not true any more. */
  outdate(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }
}
