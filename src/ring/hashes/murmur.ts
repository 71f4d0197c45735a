import { wordsToRead } from '../../resp/words.js';

function load32(buffer: Uint8Array, words: DataView | null, at: number): number {
  if (words !== null) return words.getInt32(at, true);
  return (
    (buffer[at] as number) |
    ((buffer[at + 1] as number) << 8) |
    ((buffer[at + 2] as number) << 16) |
    ((buffer[at + 3] as number) << 24)
  );
}

/** MurmurHash3_x86_32 with seed 0 (Austin Appleby, github.com/aappleby/smhasher). */
export function murmur3(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const tail = end - (length & 3);
  const words = wordsToRead(buffer);
  let hash = 0;
  for (let at = start; at < tail; at += 4) {
    let block = Math.imul(load32(buffer, words, at), 0xcc9e2d51);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (tail < end) {
    let block = buffer[tail] as number;
    if (end - tail > 1) block |= (buffer[tail + 1] as number) << 8;
    if (end - tail > 2) block |= (buffer[tail + 2] as number) << 16;
    block = Math.imul(block, 0xcc9e2d51);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, 0x1b873593);
  }
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** MurmurHash2 with twemproxy's seed, which depends on the key's length. */
export function murmur(buffer: Uint8Array, start: number, end: number): number {
  const m = 0x5bd1e995;
  const length = end - start;
  const tail = end - (length & 3);
  const words = wordsToRead(buffer);
  let hash = Math.imul(0xdeadbeef, length) ^ length;
  for (let at = start; at < tail; at += 4) {
    let block = Math.imul(load32(buffer, words, at), m);
    block = Math.imul(block ^ (block >>> 24), m);
    hash = Math.imul(hash, m) ^ block;
  }
  if (tail < end) {
    if (end - tail > 2) hash ^= (buffer[tail + 2] as number) << 16;
    if (end - tail > 1) hash ^= (buffer[tail + 1] as number) << 8;
    hash = Math.imul(hash ^ (buffer[tail] as number), m);
  }
  hash = Math.imul(hash ^ (hash >>> 13), m);
  return (hash ^ (hash >>> 15)) >>> 0;
}
