import type { HashFunction } from './hash.js';
import { tagPatternOf } from './tag-pattern.js';

/** A pattern, ready to be compared with the bytes of keys. */
interface Compiled {
  readonly head: Uint8Array;
  /** Which bytes of the head are hashed; -1: what stands behind it, up to the ending. */
  readonly from: number;
  readonly to: number;
  readonly ending: Uint8Array;
}

const BYTES = 256;
const NONE: readonly Compiled[] = [];

/**
 * Hashes keys that have no hash tag of their own, by the first of some patterns that matches (see `tag-pattern.ts`).
 * Immutable; what it does for a key allocates nothing, and a key whose first byte begins no pattern costs one look.
 */
export class TagPatterns {
  readonly #hash: HashFunction;
  /** By a key's first byte: the patterns that it may match, in their order. */
  readonly #byFirstByte: readonly (readonly Compiled[])[];

  /** @param texts patterns that `readTagPattern` understands, the one that counts first in front */
  constructor(texts: readonly string[], hash: HashFunction) {
    this.#hash = hash;
    const patterns = texts.map(compile);
    this.#byFirstByte = Array.from({ length: BYTES }, (_, byte) => {
      const found = patterns.filter(({ head }) => head.length === 0 || head[0] === byte);
      return found.length === 0 ? NONE : found;
    });
  }

  /** The hash of what a pattern says of the key `buffer[start, end)`; of the whole key where none matches. */
  hashOf(buffer: Uint8Array, start: number, end: number): number {
    // Behind an empty key stands something that is not its own, but nothing matches a key that is too short.
    const patterns = this.#byFirstByte[buffer[start] ?? 0] ?? NONE;
    for (let i = 0; i < patterns.length; i++) {
      const { head, from, to, ending } = patterns[i] as Compiled;
      if (!beginsWith(buffer, start, end, head)) continue;
      if (from >= 0) return this.#hash(buffer, start + from, start + to);
      const partStart = start + head.length;
      const partEnd = endOfPart(buffer, partStart, end, ending);
      if (partEnd > partStart) return this.#hash(buffer, partStart, partEnd);
    }
    return this.#hash(buffer, start, end);
  }
}

function compile(text: string): Compiled {
  const { head, fixed, ending } = tagPatternOf(text);
  const bytesUpTo = (characters: number): number => Buffer.byteLength(head.slice(0, characters));
  const [from, to] = fixed === null ? [-1, -1] : [bytesUpTo(fixed[0]), bytesUpTo(fixed[1])];
  return { head: Buffer.from(head), from, to, ending: Buffer.from(ending) };
}

/** @returns where `ending` stands for the first time from `from` on, `end` when it is empty; -1: nowhere */
function endOfPart(buffer: Uint8Array, from: number, end: number, ending: Uint8Array): number {
  if (ending.length === 0) return end;
  for (let at = from; at + ending.length <= end; at++) if (beginsWith(buffer, at, end, ending)) return at;
  return -1;
}

function beginsWith(buffer: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const length = text.length;
  if (end - start < length) return false;
  for (let i = 0; i < length; i++) if (buffer[start + i] !== text[i]) return false;
  return true;
}
