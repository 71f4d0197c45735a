/**
 * What may be done in a second, as a token bucket that may be overdrawn: what has come is handled whole, and then
 * nothing more until the debt is paid. So the average is exact, and a burst is a second's worth and one chunk of each
 * connection.
 */
export class Bucket {
  /** Above 0: what may be done at once; below: the debt. */
  #level: number;
  #at: number;

  /** @param rate a second; above 0 */
  constructor(rate: number, now: number) {
    this.#level = rate;
    this.#at = now;
  }

  /** @param rate as it is by now @param now milliseconds @returns whether nothing may be done */
  isInDebt(rate: number, now: number): boolean {
    this.#refill(rate, now);
    return this.#level < 0;
  }

  take(amount: number): void {
    this.#level -= amount;
  }

  /** Whoever begins anew would not have more. */
  isFull(rate: number, now: number): boolean {
    this.#refill(rate, now);
    return this.#level >= rate;
  }

  #refill(rate: number, now: number): void {
    if (now > this.#at) this.#level = Math.min(rate, this.#level + ((now - this.#at) / 1000) * rate);
    this.#at = now;
  }
}
