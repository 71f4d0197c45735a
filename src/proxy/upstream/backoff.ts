/** Pauses between attempts to reach a node: each is twice as long as the one before, up to a bound. Milliseconds. */
const FIRST_MS = 20;

export class Backoff {
  #pause = FIRST_MS;

  /** @param most longest pause @returns how long to wait before the next attempt */
  next(most: number): number {
    // Jitter keeps many proxies from coming back to a node in step.
    const pause = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, most);
    return pause;
  }

  /** The node has been reached, or there is a reason to think that it can be now. */
  reset(): void {
    this.#pause = FIRST_MS;
  }
}
