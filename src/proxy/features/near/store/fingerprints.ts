/**
 * Remembers of many things that they were seen lately, by four bytes each: what comes later into the same place takes
 * it. Two halves take turns, so that what was seen two turns ago is forgotten.
 */
export class Fingerprints {
  readonly #mask: number;
  #young: Int32Array;
  #old: Int32Array;

  /** @param places a power of two */
  constructor(places: number) {
    this.#mask = places - 1;
    this.#young = new Int32Array(places);
    this.#old = new Int32Array(places);
  }

  /** @param hash a signed number of 32 bits */
  has(hash: number): boolean {
    const print = printOf(hash);
    const at = hash & this.#mask;
    return this.#young[at] === print || this.#old[at] === print;
  }

  add(hash: number): void {
    this.#young[hash & this.#mask] = printOf(hash);
  }

  /** What was not seen since the last turn is forgotten. */
  turn(): void {
    const forgotten = this.#old.fill(0);
    this.#old = this.#young;
    this.#young = forgotten;
  }
}

/** An empty place has 0. */
function printOf(hash: number): number {
  return hash === 0 ? 1 : hash;
}
