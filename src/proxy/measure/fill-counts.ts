/**
 * What became of a miss in a group with `fill-wait`.
 * - `first`: its client saw it, and others would have waited.
 * - `filled`: it waited, and got the value.
 * - `next`: it waited, and then was to fill the key itself.
 * - `timeout`: it waited as long as a miss may, and saw nil.
 * - `released`: its client sent something behind it that could not wait, and it saw nil.
 * - `left`: its client has left.
 * - `stale`: it got the last value.
 * - `early`: it was none; its client saw one shortly before the key expired.
 * - `full`: so many wait that it did not.
 */
export const FILL_OUTCOMES = [
  'first',
  'filled',
  'next',
  'timeout',
  'released',
  'left',
  'stale',
  'early',
  'full',
] as const;
export type FillOutcome = (typeof FILL_OUTCOMES)[number];
export type FillCounts = Record<FillOutcome, number>;

export function noFills(): FillCounts {
  return { first: 0, filled: 0, next: 0, timeout: 0, released: 0, left: 0, stale: 0, early: 0, full: 0 };
}
