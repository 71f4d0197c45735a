/**
 * Draws numbers as requests fall on pages: the first is drawn most, the n-th n^-s times as often (Zipf's law; Breslau
 * et al., "Web Caching and Zipf-like Distributions: Evidence and Implications", INFOCOM 1999).
 */
export class Zipf {
  /** By number: how likely it is that it, or one before it, is drawn. */
  readonly #upTo: Float64Array;
  readonly #random: () => number;

  /**
   * @param count how many numbers there are
   * @param exponent s: 0.6 to 1.2 in what was measured of the web
   * @param random from 0 up to 1, which it never is
   */
  constructor(count: number, exponent: number, random: () => number = Math.random) {
    this.#random = random;
    this.#upTo = new Float64Array(count);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += 1 / (i + 1) ** exponent;
      this.#upTo[i] = sum;
    }
    for (let i = 0; i < count; i++) this.#upTo[i] = (this.#upTo[i] as number) / sum;
  }

  /** @returns a number from 0 to count - 1 */
  draw(): number {
    const point = this.#random();
    let low = 0;
    let high = this.#upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#upTo[middle] as number) < point) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
