/**
 * What may be done in a second, as a token bucket that may be overdrawn: what has come is handled whole, and then
 * nothing more until the debt is paid. So the average is exact, and a burst is what the bucket holds and one more.
 */
export class Bucket {
  /** Above 0: what may be done at once; below: the debt. */
  #level: number;
  #at: number;

  /** @param most what a full one holds: it is full @param now milliseconds that do not go back */
  constructor(most: number, now: number) {
    this.#level = most;
    this.#at = now;
  }

  /**
   * @param most what a full one holds by now, and `rate` a second comes in
   * @param now milliseconds
   * @returns what may be done at once; below 0: the debt
   */
  level(most: number, rate: number, now: number): number {
    if (now > this.#at) this.#level = Math.min(most, this.#level + ((now - this.#at) / 1000) * rate);
    this.#at = now;
    return this.#level;
  }

  take(amount: number): void {
    this.#level -= amount;
  }
}
