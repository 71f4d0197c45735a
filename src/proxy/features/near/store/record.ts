/**
 * A kept reply as it lies in memory: a header of 32-bit numbers, then what the frame has behind the command's name,
 * then the reply. A record is told by the index of its first number; none is at 0.
 *
 *   header │ rest of the frame │ reply │ padding to 8 bytes
 *
 * Records are no objects, so that a hit allocates nothing and the collector has nothing to look at.
 */

/** No record. */
export const NONE = 0;

/** Of the whole record, in numbers; even. */
export const LENGTH = 0;
/** DEAD, or LIVE and how often it was read since it was last looked at, at most MOST_READS. */
export const STATE = 1;
/** The next record whose frame's hash falls into the same bucket. */
export const NEXT_FRAME = 2;
/** Those of keys whose hash falls into the same bucket; the first one's previous is NONE. */
export const NEXT_KEY = 3;
export const PREVIOUS_KEY = 4;
export const FRAME_HASH = 5;
export const KEY_HASH = 6;
/** Which command by which protocol in which database (`kindOf`). */
export const KIND = 7;
/** The slot of its node, and the node's epoch of when it was read (`NearNodes`). */
export const NODE = 8;
export const EPOCH = 9;
/** The snapshot by which the node was last known to be the key's. */
export const GENERATION = 10;
/** It is served from when the node has answered this question of its feed on. */
export const BARRIER = 11;
/** Bytes. */
export const REST_LENGTH = 12;
export const REPLY_LENGTH = 13;
/** The group of its key. */
export const GROUP = 14;
/** The key's hash as the ring has it. */
export const RING_HASH = 15;
/** When it was read, and from when on it is not served, both by the clock: numbers of 64 bits. */
export const BORN_AT = 16;
export const ENDS_AT = 18;
/** When the key itself ends; Infinity: it does not. */
export const KEY_ENDS_AT = 20;
export const HEADER = 22;

export const DEAD = 0;
export const LIVE = 1;
/** Two bits are enough (S3-FIFO). */
export const MOST_READS = 3;

/** @returns how many numbers a record takes */
export function recordLength(restBytes: number, replyBytes: number): number {
  const numbers = HEADER + ((restBytes + replyBytes + 3) >> 2);
  return numbers + (numbers & 1);
}
