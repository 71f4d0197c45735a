/** Times of expiry, as two nodes see them. */
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import { monotonicNow } from '../time/monotonic.js';
import type { NodeLink } from './node-link.js';

/** By how much a node's clock is ahead of `monotonicNow`. */
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
  // A node that does not tell its time is taken to have that of the other one.
  const ahead =
    target.clockOffset === null || source.clockOffset === null ? 0 : target.clockOffset - source.clockOffset;
  return Math.abs(ahead) < SAME_CLOCK_MS ? Math.max(1, expiry) : Math.max(1, Math.round(expiry + ahead));
}

/** @returns the time by a node's clock, in milliseconds since 1970 */
export function nowAt({ clockOffset }: NodeClock): number {
  return clockOffset === null ? Date.now() : monotonicNow() + clockOffset;
}

/** Stands for when a key expires that is not there. */
export const NOT_THERE = -2;

/** @returns for each key when it expires, in milliseconds since 1970; -1: never; `NOT_THERE` */
export async function expiriesOf(source: NodeLink, database: number, keys: readonly Buffer[]): Promise<number[]> {
  const replies = await ask(source, database, 'PEXPIRETIME', keys);
  if (!replies.some((reply) => reply instanceof ReplyError)) return replies.map(toExpiry);
  // Before Redis 7, or where the user lacks the right to it.
  const left = await ask(source, database, 'PTTL', keys);
  const now = nowAt(source);
  return left.map((reply) => {
    const milliseconds = toExpiry(reply);
    return milliseconds >= 0 ? Math.round(now + milliseconds) : milliseconds;
  });
}

function toExpiry(reply: ReplyValue): number {
  return typeof reply === 'number' ? reply : -1;
}

function ask(link: NodeLink, database: number, word: string, keys: readonly Buffer[]): Promise<ReplyValue[]> {
  const frames = keys.map((key) => request([word, key]));
  return link.exchange(frames, frames.length, database);
}
