import { CR, DOLLAR, LF, STAR, ZERO } from '../../../src/resp/bytes.js';

/** There is more to come. */
export const CUT = -1;
export const MALFORMED = -2;

/** More than any load of the benchmark has. */
const MOST_WORDS = 1024;

/** Where the words of a request are: the least that its framing has to find out. Arrays of bulks only, none inline. */
export class RequestFrame {
  words = 0;
  readonly starts = new Uint32Array(MOST_WORDS);
  readonly ends = new Uint32Array(MOST_WORDS);
  /** Behind the number that `#number` has read. */
  #at = 0;

  /** Frames the request that begins at `start`. @returns its end, CUT or MALFORMED */
  read(buffer: Uint8Array, start: number, end: number): number {
    const words = this.#number(buffer, start, end, STAR);
    if (words < 0) return words;
    if (words === 0 || words > MOST_WORDS) return MALFORMED;
    for (let i = 0; i < words; i++) {
      const length = this.#number(buffer, this.#at, end, DOLLAR);
      if (length < 0) return length;
      const from = this.#at;
      const to = from + length;
      if (to + 2 > end) return CUT;
      this.starts[i] = from;
      this.ends[i] = to;
      this.#at = to + 2;
    }
    this.words = words;
    return this.#at;
  }

  /** @returns the number between the byte `kind` and the line's end, CUT or MALFORMED */
  #number(buffer: Uint8Array, start: number, end: number, kind: number): number {
    if (start >= end) return CUT;
    if (buffer[start] !== kind) return MALFORMED;
    let value = 0;
    let at = start + 1;
    for (; at < end && buffer[at] !== CR; at++) {
      const digit = (buffer[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return MALFORMED;
      value = value * 10 + digit;
    }
    if (at + 1 >= end) return CUT;
    if (at === start + 1 || buffer[at + 1] !== LF) return MALFORMED;
    this.#at = at + 2;
    return value;
  }
}
