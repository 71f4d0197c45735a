/**
 * When a key is to be filled before it expires: early enough for the new value to be there, the earlier the longer filling
 * takes, and by chance some more, so that not all proxies do it at once and fills that take longer are in time, too.
 *
 * XFetch (Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015) draws such a
 * lot for each read, since its readers know nothing of each other; so the more reads there are, the earlier one of them
 * wins. Here one place sees all reads, and lets one client fill: it draws once for each value, however often that is read.
 */

/** How many keys' times are remembered. */
const MOST_KEYS = 65_536;
/** The mean of what chance adds, in parts of the time that filling takes. */
const CHANCE = 0.5;
/** That a random number is so small that chance adds more than this many means does not happen: e^-12. */
const MOST_CHANCE = 12;
/** A value that lives hardly longer than it takes to make is shown for this part of its time at least. */
const LEAST_SHOWN = 0.5;

interface Fill {
  /** Milliseconds before the key expires from which on it is to be filled. */
  readonly reach: number;
  /** The most milliseconds that were left at a read since then: what it lives for, or more than any `reach`. */
  life: number;
}

export class FillTimes {
  readonly #random: () => number;
  readonly #fills = new Map<string, Fill>();
  /** No key is to be filled earlier. */
  #furthest = 0;

  /** @param random from 0 up to 1, which it never is */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param milliseconds from the miss to the write */
  note(key: Buffer, milliseconds: number): void {
    const name = key.toString('latin1');
    this.#fills.delete(name);
    this.#fills.set(name, { reach: milliseconds * (1 - CHANCE * Math.log(1 - this.#random())), life: 0 });
    this.#furthest = Math.max(this.#furthest, milliseconds * (1 + CHANCE * MOST_CHANCE));
    if (this.#fills.size <= MOST_KEYS) return;
    const [oldest] = this.#fills.keys();
    if (oldest !== undefined) this.#fills.delete(oldest);
  }

  /** @param left milliseconds until the key, `source[start, end)`, expires @returns whether it is to be filled now */
  isDue(source: Buffer, start: number, end: number, left: number): boolean {
    if (!(left < this.#furthest / (1 - LEAST_SHOWN))) return false;
    const fill = this.#fills.get(source.toString('latin1', start, end));
    if (fill === undefined) return false;
    if (left > fill.life) fill.life = left;
    return left <= Math.min(fill.reach, fill.life * (1 - LEAST_SHOWN));
  }
}
