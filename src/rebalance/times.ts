/** Times of expiry, as two nodes see them. */
import type { NodeLink } from './node-link.js';

/** By how much a node's clock is ahead of ours. */
type NodeClock = Pick<NodeLink, 'clockOffset'>;

/**
 * Clocks that differ by less are taken for the same, so that a key's time of expiry stays what it is to the
 * millisecond. Where they differ by more, a key that has an hour to live must not expire at once.
 */
const SAME_CLOCK_MS = 500;

/**
 * @param expiry milliseconds since 1970 by the source's clock; -1: never
 * @returns the same instant by the target's clock, as RESTORE … ABSTTL takes it; 0: never
 */
export function expiryAt(source: NodeClock, target: NodeClock, expiry: number): number {
  if (expiry < 0) return 0;
  const ahead = target.clockOffset - source.clockOffset;
  return Math.abs(ahead) < SAME_CLOCK_MS ? Math.max(1, expiry) : Math.max(1, Math.round(expiry + ahead));
}
