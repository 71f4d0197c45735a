/** No prefix matches. */
export const NO_MATCH = -1;

/** The state before the first byte, and the class of every byte that no prefix has. */
const ROOT = 0;
const OTHER_BYTE = 0;

/**
 * Finds the longest of a fixed set of prefixes that a key begins with: a trie of bytes, laid out as the table of a
 * finite automaton. Bytes that no prefix contains share one column, so the table stays small. A look-up reads one
 * cell for each byte of the prefix, allocates nothing, and ends at the first byte that fits no prefix.
 */
export class PrefixMatcher {
  /** The column of each byte. */
  readonly #columns = new Uint8Array(256);
  /** By state and column: the next state; ROOT: there is none, since no byte leads back to it. */
  readonly #next: Uint16Array;
  /** By state: the value of the prefix that ends here, or NO_MATCH. */
  readonly #values: Int16Array;
  readonly #width: number;

  /**
   * @param prefixes none empty, none twice, at most 65,535 bytes and 255 different bytes in all; those of one value
   * may be several. Values are 0 to 32,767.
   */
  constructor(prefixes: readonly { readonly bytes: Uint8Array; readonly value: number }[]) {
    let width = OTHER_BYTE + 1;
    let states = 1;
    for (const { bytes } of prefixes) {
      states += bytes.length;
      for (const byte of bytes) if (this.#columns[byte] === OTHER_BYTE) this.#columns[byte] = width++;
    }
    if (width > 256 || states > 65_536) throw new RangeError('the prefixes are too many for the matcher');
    this.#width = width;
    const next = new Uint16Array(states * width);
    this.#values = new Int16Array(states).fill(NO_MATCH);
    let used = 1;
    for (const { bytes, value } of prefixes) {
      let state = ROOT;
      for (const byte of bytes) {
        const cell = state * width + (this.#columns[byte] as number);
        if (next[cell] === ROOT) next[cell] = used++;
        state = next[cell] as number;
      }
      this.#values[state] = value;
    }
    // Prefixes that begin alike share states.
    this.#next = next.slice(0, used * width);
  }

  /** @returns the value of the longest prefix of `source[start, end)`, or NO_MATCH */
  find(source: Uint8Array, start: number, end: number): number {
    const columns = this.#columns;
    const next = this.#next;
    const values = this.#values;
    const width = this.#width;
    let found = NO_MATCH;
    let state = ROOT;
    for (let i = start; i < end; i++) {
      state = next[state * width + (columns[source[i] as number] as number)] as number;
      if (state === ROOT) break;
      const value = values[state] as number;
      if (value !== NO_MATCH) found = value;
    }
    return found;
  }
}
