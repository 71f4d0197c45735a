/** What a state means to a client. */
import { bulk } from '../../resp/encode.js';
import { parseStrictInteger } from '../../resp/integer.js';
import { compareStamps, type Stamp } from '../crdt/hybrid-clock.js';
import type { Expiry, KeyState } from './key-state.js';

export type ValueType = 'string' | 'set';

const LF = 0x0a;
const MOST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);
/** A number of so many digits is exact as a floating-point number. */
const EXACT_DIGITS = 15;

/** From so many bytes on a text is memory of its own: a part of a slab that others share would keep all of that. */
const OWN_MEMORY = 2048;

/** @param value is copied @returns the reply to GET of a text, to be kept for long */
export function textReply(value: Uint8Array): Buffer {
  const header = `$${value.length}\r\n`;
  const size = header.length + value.length + 2;
  const reply = size < OWN_MEMORY ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
  reply.write(header, 0, 'latin1');
  reply.set(value, header.length);
  reply.write('\r\n', size - 2, 'latin1');
  return reply;
}

/** Whether the time is over by a clock that says `now`. Milliseconds since 1970. */
export function hasExpired({ at }: Expiry, now: number): boolean {
  return at <= now;
}

/** Of a live state. Where one proxy has counted and another one has added at the same time, the number counts. */
export function typeOf(state: KeyState): ValueType {
  return state.base !== null || state.counts !== null ? 'string' : 'set';
}

/** The payload of a bulk reply, which is not copied. */
export function payloadOf(bulkReply: Buffer): Buffer {
  return bulkReply.subarray(bulkReply.indexOf(LF) + 1, bulkReply.length - 2);
}

/** @returns the number that counting goes on from: what SET has set and what was counted since; null: it is no integer */
export function numberOf(state: KeyState): bigint | null {
  const base = state.base === null ? 0n : integerIn(payloadOf(state.base));
  if (base === null || state.counts === null) return base;
  let total = base;
  for (const { added, taken } of state.counts.values()) total += added - taken;
  return total;
}

/** The reply to GET of a live state that is a string. What was counted on a text that is no number is not seen. */
export function bulkOf(state: KeyState): Buffer {
  const { base, counts } = state;
  if (counts === null && base !== null) return base;
  const number = numberOf(state);
  if (number === null && base !== null) return base;
  return bulk(String(number ?? 0n));
}

export function isInRange(value: bigint): boolean {
  return value >= LEAST && value <= MOST;
}

/** @returns the signed 64-bit integer, by the grammar of Redis; null: it is none */
export function integerIn(text: Uint8Array): bigint | null {
  const value = parseStrictInteger(text, 0, text.length);
  if (Number.isNaN(value)) return null;
  return BigInt(text.length <= EXACT_DIGITS ? value : Buffer.from(text).toString('latin1'));
}

/**
 * The moment of a key's end, as a stamp: the same at every proxy, since it follows from what EXPIRE has written. Whoever
 * writes to the key after that resets it by this stamp. It is later than the EXPIRE, even where clocks disagree.
 */
export function stampOfEnd({ at, stamp }: Expiry): Stamp {
  return [Math.max(at, stamp[0] + 1), 0, ''];
}

/** The latest of what it says: of its stamps, and of its end where that was seen. Null: it says nothing. */
export function latestOf(state: KeyState): Stamp | null {
  const newest = state.newest();
  const end = state.expiry?.hasEnded === true ? stampOfEnd(state.expiry) : null;
  if (newest === null || end === null) return newest ?? end;
  return compareStamps(end, newest) > 0 ? end : newest;
}
