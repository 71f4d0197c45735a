/** Bytes of the protocol, and the two things that are done to bytes everywhere. */
// The global of that name is looked up by an accessor, which costs more than a copy.
import { Buffer } from 'node:buffer';
import { wordsToRead } from './words.js';

export const CR = 0x0d;
export const LF = 0x0a;
export const NUL = 0x00;
export const DOLLAR = 0x24;
export const STAR = 0x2a;
export const MINUS = 0x2d;
export const ZERO = 0x30;

/** Fewer bytes cost less in a loop than finding the words. */
const LEAST_WORD_COPY_BYTES = 16;
/** Up to this many bytes are copied by words, where both sides have them: a bulk copy costs a call into the runtime. */
const WORD_COPY_BYTES = 96;
/** Otherwise up to this many are copied by a loop (`npm run bench -- micro`). */
const LOOP_COPY_BYTES = 48;

/**
 * Copies `source[start, end)` to `target` from `offset` on; `target` must have room for all of it.
 * @param words of `target` (`wordsOf`), asked for once by who copies to it often
 */
export function copyBytes(
  target: Buffer,
  words: DataView | null,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  const length = end - start;
  if (words !== null && isCopiedByWords(length)) {
    const from = wordsToRead(source);
    if (from !== null) {
      copyWords(words, offset, from, start, end);
      return;
    }
  }
  if (length > LOOP_COPY_BYTES) {
    if (source instanceof Buffer) source.copy(target, offset, start, end);
    else target.set(source.subarray(start, end), offset);
    return;
  }
  let to = offset;
  for (let at = start; at < end; at++) target[to++] = source[at] as number;
}

/** Whether so many bytes are best copied by words, where both sides have them. */
export function isCopiedByWords(length: number): boolean {
  return length <= WORD_COPY_BYTES && length >= LEAST_WORD_COPY_BYTES;
}

/** Copies four bytes or more: the last word overlaps the one before it where the length is no multiple of four. */
export function copyWords(target: DataView, offset: number, source: DataView, start: number, end: number): void {
  const last = end - 4;
  const shift = offset - start;
  for (let at = start; at < last; at += 4) target.setInt32(at + shift, source.getInt32(at, true), true);
  target.setInt32(last + shift, source.getInt32(last, true), true);
}

/** Whether `buffer[start, end)` is the word `lowerCase` in any case. `lowerCase` holds ASCII bytes. */
export function equalsIgnoreCase(buffer: Uint8Array, start: number, end: number, lowerCase: Uint8Array): boolean {
  if (end - start !== lowerCase.length) return false;
  for (let i = 0; i < lowerCase.length; i++) {
    let byte = buffer[start + i] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== lowerCase[i]) return false;
  }
  return true;
}
