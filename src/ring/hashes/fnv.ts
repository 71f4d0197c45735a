/**
 * FNV as twemproxy computes it: its 64-bit variants keep 32 bits only, so that just the lower halves of
 * the constants count; bytes are C's signed char, and those from 128 on are extended by their sign.
 */
const OFFSET_64_LOW = 0x84222325;
const PRIME_64_LOW = 0x1b3;
const OFFSET_32 = 0x811c9dc5;
const PRIME_32 = 0x01000193;

function fnv1(buffer: Uint8Array, start: number, end: number, offset: number, prime: number): number {
  let hash = offset;
  for (let at = start; at < end; at++) hash = Math.imul(hash, prime) ^ (((buffer[at] as number) << 24) >> 24);
  return hash >>> 0;
}

function fnv1a(buffer: Uint8Array, start: number, end: number, offset: number, prime: number): number {
  let hash = offset;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (((buffer[at] as number) << 24) >> 24), prime);
  return hash >>> 0;
}

export function fnv1_64(buffer: Uint8Array, start: number, end: number): number {
  return fnv1(buffer, start, end, OFFSET_64_LOW, PRIME_64_LOW);
}

export function fnv1a_64(buffer: Uint8Array, start: number, end: number): number {
  return fnv1a(buffer, start, end, OFFSET_64_LOW, PRIME_64_LOW);
}

export function fnv1_32(buffer: Uint8Array, start: number, end: number): number {
  return fnv1(buffer, start, end, OFFSET_32, PRIME_32);
}

export function fnv1a_32(buffer: Uint8Array, start: number, end: number): number {
  return fnv1a(buffer, start, end, OFFSET_32, PRIME_32);
}
