import { wordsToRead } from '../resp/words.js';

/**
 * Hash tags: the part of a key between two characters, which is hashed in the key's place so that keys
 * with the same tag have the same owner. As Redis Cluster and twemproxy have it: the first opening
 * character counts, then the first closing one behind it, and an empty tag does not count.
 *
 * Two functions that return a number each, because one that returns both would allocate.
 */

const EACH_BYTE = 0x01010101;
const EACH_TOP_BIT = 0x80808080;

/** @returns where the tag's content begins in `buffer[start, end)`, or -1 when there is no opening byte */
export function tagStart(buffer: Uint8Array, start: number, end: number, open: number): number {
  let at = start;
  const words = wordsToRead(buffer);
  if (words !== null) {
    const pattern = Math.imul(open, EACH_BYTE);
    for (; at + 4 <= end; at += 4) {
      const differing = words.getInt32(at, true) ^ pattern;
      // Whether one of the four bytes is 0 (Sean Eron Anderson, Bit Twiddling Hacks: "haszero").
      if (((differing - EACH_BYTE) & ~differing & EACH_TOP_BIT) !== 0) break;
    }
  }
  for (; at < end; at++) if (buffer[at] === open) return at + 1;
  return -1;
}

/**
 * @param from what `tagStart` returned
 * @returns where the tag's content ends (exclusive), or -1 when it is empty or never closed
 */
export function tagEnd(buffer: Uint8Array, from: number, end: number, close: number): number {
  for (let at = from; at < end; at++) if (buffer[at] === close) return at > from ? at : -1;
  return -1;
}
