/** Draws ranks from 0 on, of which the rank `r` is as likely as `1 / (r + 1) ** exponent`. */
export class Zipf {
  /** By rank: how likely it is to draw this one or one before it. */
  readonly #cumulative: Float64Array;
  readonly #random: () => number;

  /** @param random 0 to 1 */
  constructor(ranks: number, exponent: number, random: () => number) {
    this.#random = random;
    const cumulative = new Float64Array(ranks);
    let sum = 0;
    for (let rank = 0; rank < ranks; rank++) {
      sum += 1 / (rank + 1) ** exponent;
      cumulative[rank] = sum;
    }
    for (let rank = 0; rank < ranks; rank++) (cumulative[rank] as number) /= sum;
    this.#cumulative = cumulative;
  }

  draw(): number {
    const wanted = this.#random();
    let least = 0;
    let most = this.#cumulative.length - 1;
    while (least < most) {
      const middle = (least + most) >>> 1;
      if ((this.#cumulative[middle] as number) < wanted) least = middle + 1;
      else most = middle;
    }
    return least;
  }
}
