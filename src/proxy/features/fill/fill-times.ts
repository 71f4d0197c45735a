/**
 * When a key is to be filled before it expires: early with a probability that rises as its end comes near, the earlier
 * the longer filling it takes, so that mostly one client does it and none waits (XFetch: Vattani, Chierichetti and
 * Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015, with beta = 1).
 */

/** How many keys' times are remembered. */
const MOST_KEYS = 65_536;
/** That a random number is so small that it reaches further does not happen: e^-12. */
const FURTHEST = 12;

export class FillTimes {
  readonly #random: () => number;
  /** Milliseconds from the miss to the write, by key. */
  readonly #times = new Map<string, number>();
  /** The longest of them since some was. */
  #longest = 0;

  /** @param random from 0 up to 1, which it never is */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param milliseconds from the miss to the write */
  note(key: Buffer, milliseconds: number): void {
    const name = key.toString('latin1');
    this.#times.delete(name);
    this.#times.set(name, milliseconds);
    this.#longest = Math.max(this.#longest, milliseconds);
    if (this.#times.size <= MOST_KEYS) return;
    const [oldest] = this.#times.keys();
    if (oldest !== undefined) this.#times.delete(oldest);
  }

  /** @param left milliseconds until the key, `source[start, end)`, expires @returns whether it is to be filled now */
  isDue(source: Buffer, start: number, end: number, left: number): boolean {
    if (!(left < FURTHEST * this.#longest)) return false;
    const time = this.#times.get(source.toString('latin1', start, end));
    return time !== undefined && left + time * Math.log(1 - this.#random()) <= 0;
  }
}
