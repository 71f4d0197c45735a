import { MINUS, ZERO } from './bytes.js';

/** 2^63 in decimal digits: the least number too large for a signed 64-bit integer. */
const TOO_LARGE = [9, 2, 2, 3, 3, 7, 2, 0, 3, 6, 8, 5, 4, 7, 7, 5, 8, 0, 8];

/**
 * Reads a 64-bit integer by the grammar of Redis' string2ll: no leading zeros, no plus sign, no spaces, no
 * `-0`. Beyond 2^53 the value is rounded, which does not matter for lengths and counts: all have lower limits.
 * @returns NaN when `buffer[start, end)` is no such number
 */
export function parseStrictInteger(buffer: Uint8Array, start: number, end: number): number {
  const negative = start < end && buffer[start] === MINUS;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > TOO_LARGE.length) return Number.NaN;
  if (buffer[first] === ZERO && (digits > 1 || negative)) return Number.NaN;
  let value = 0;
  let comparison = 0;
  for (let i = 0; i < digits; i++) {
    const digit = (buffer[first + i] as number) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
    if (comparison === 0) comparison = digit - (TOO_LARGE[i] as number);
  }
  // -2^63 is in range, 2^63 is not.
  if (digits === TOO_LARGE.length && (comparison > 0 || (comparison === 0 && !negative))) return Number.NaN;
  return negative ? -value : value;
}
