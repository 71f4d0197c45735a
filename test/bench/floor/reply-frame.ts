import { CR, DOLLAR, LF, MINUS, STAR, ZERO } from '../../../src/resp/bytes.js';

/** Finds the ends of replies: values that come one behind the other, and arrays of them. RESP2. */
export class ReplyFrame {
  /** Values that are still to come of this reply. */
  #values = 1;
  /** Bytes that are still to come of this bulk, with the line's end behind them. */
  #left = 0;
  /** Whether what `read` has returned is a reply's end. */
  whole = false;

  /** Reads on from `start`, where it stopped the last time. @returns up to where it understood; what is cut comes again */
  read(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    this.whole = false;
    while (at < end) {
      if (this.#left === 0) {
        const next = this.#line(buffer, at, end);
        if (next === at) return at;
        at = next;
      }
      if (this.#left > 0) {
        const taken = Math.min(this.#left, end - at);
        at += taken;
        this.#left -= taken;
        if (this.#left > 0) return at;
        this.#values--;
      }
      if (this.#values === 0) {
        this.#values = 1;
        this.whole = true;
        return at;
      }
    }
    return at;
  }

  /** @returns behind the line; `start` when it is cut */
  #line(buffer: Uint8Array, start: number, end: number): number {
    const kind = buffer[start];
    const isSized = kind === DOLLAR || kind === STAR;
    let at = start + 1;
    let size = 0;
    const isNull = isSized && buffer[at] === MINUS;
    for (; at < end && buffer[at] !== CR; at++) {
      if (isSized) size = size * 10 + (buffer[at] as number) - ZERO;
    }
    if (at + 1 >= end) return start;
    if (buffer[at + 1] !== LF) throw new Error('a node sent what is no reply');
    if (!isSized || isNull) this.#values--;
    else if (kind === STAR) this.#values += size - 1;
    else this.#left = size + 2;
    return at + 2;
  }
}
