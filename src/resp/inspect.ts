/** Looks at whole replies in place, without decoding them. */
import { DOLLAR, LF, MINUS, STAR, ZERO } from './bytes.js';

const UNDERSCORE = 0x5f;

/** A number in a line, and what stands behind the line. Filled by `parseHeader`; one instance can serve many calls. */
export interface Header {
  /** The number in the line, NaN when there is none. */
  value: number;
  /** The offset behind the line. */
  next: number;
}

/**
 * Reads the line that begins at `start` with its type byte: the length of a bulk, the count of an aggregate,
 * an integer.
 * @param end the end of the bytes; a line that goes beyond it ends there
 */
export function parseHeader(buffer: Uint8Array, start: number, end: number, header: Header): void {
  header.value = parseIntegerLine(buffer, start, end);
  let at = start + 1;
  while (at < end && buffer[at] !== LF) at++;
  header.next = Math.min(at + 1, end);
}

/** The number of the line `:123\r\n` that begins at `start`, exact up to 2^53; NaN when there is none. */
export function parseIntegerLine(buffer: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  const negative = at < end && buffer[at] === MINUS;
  if (negative) at++;
  const first = at;
  let value = 0;
  for (; at < end; at++) {
    const digit = (buffer[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === first) return Number.NaN;
  return negative ? -value : value;
}

/** Whether the reply that begins at `start` is nil: `$-1` and `*-1` in RESP2, `_` in RESP3. */
export function bulkIsNull(buffer: Uint8Array, start: number): boolean {
  const type = buffer[start];
  return type === UNDERSCORE || ((type === DOLLAR || type === STAR) && buffer[start + 1] === MINUS);
}
