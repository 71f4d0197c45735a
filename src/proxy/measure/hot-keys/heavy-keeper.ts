/**
 * How often each of very many keys was seen, in bounded memory: HeavyKeeper (Gong et al., "HeavyKeeper: An Accurate
 * Algorithm for Finding Top-k Elephant Flows", USENIX ATC 2018). A bucket belongs to one key at a time; another key that
 * falls into it takes one off with a probability that falls exponentially with the count (`1.08 ** -count`), and takes
 * the bucket over when nothing is left. So keys that are seldom seen wear each other out, and one that is seen often is
 * not touched by them: where Count-Min counts too many for every key, by what shares its cells, here a key is never
 * counted too often (but for equal fingerprints), and most precisely where it is hot.
 */

/** Rows, each with a bucket for every key: a key has to meet a hot one in all of them to be missed. */
const ROWS = 2;
/** Buckets in a row, a power of two. */
const WIDTH = 4096;
const ROW_SHIFTS = [0, 13] as const;
/** As in the paper. */
const DECAY_BASE = 1.08;
/** From this count on a bucket is not touched by others: the probability is below 10^-8. */
const UNTOUCHED = 256;

/** By how much the count is: the probability that another key takes one off. */
const DECAY = Float64Array.from({ length: UNTOUCHED }, (_, count) => DECAY_BASE ** -count);

export class HeavyKeeper {
  readonly #fingerprints = new Int32Array(ROWS * WIDTH);
  readonly #counts = new Float32Array(ROWS * WIDTH);
  readonly #random: () => number;

  /** @param random 0 to 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * The key was seen.
   * @param fingerprint 32 bits of a hash of it
   * @param weight how often, about 1
   * @returns how often it was seen in all, as far as it is remembered; 0: it is not
   */
  add(fingerprint: number, weight: number): number {
    const fingerprints = this.#fingerprints;
    const counts = this.#counts;
    let seen = 0;
    for (let row = 0; row < ROWS; row++) {
      const at = row * WIDTH + ((fingerprint >>> (ROW_SHIFTS[row] as number)) & (WIDTH - 1));
      const count = counts[at] as number;
      if (fingerprints[at] === fingerprint) {
        counts[at] = count + weight;
        seen = Math.max(seen, count + weight);
        continue;
      }
      if (count >= UNTOUCHED || this.#random() >= (DECAY[Math.trunc(count)] as number)) continue;
      if (count > weight) {
        counts[at] = count - weight;
        continue;
      }
      fingerprints[at] = fingerprint;
      counts[at] = weight;
      seen = Math.max(seen, weight);
    }
    return seen;
  }

  /** What was seen until now counts for less. @param factor 0 to 1 */
  fade(factor: number): void {
    const counts = this.#counts;
    for (let at = 0; at < counts.length; at++) counts[at] = (counts[at] as number) * factor;
  }
}
