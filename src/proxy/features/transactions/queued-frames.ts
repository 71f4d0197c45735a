/**
 * The frames of a transaction, one behind the other, and where their keys are. A queued command costs its bytes and 16
 * more for each of its keys: an object for each would take ten times what a client sends, and `client-query-limit` is to
 * bound what is held.
 *
 *   chunks   [frame][frame]… [frame]…         sent as they are
 *   keys     chunk, offset, length, hash | …  flat
 */
import { type KeyHash, keptHash } from '../../../ring/rings.js';

const FIRST_CHUNK = 1024;
const LARGEST_CHUNK = 1_048_576;
const FIELDS = 4;
const FIRST_KEYS = 4;

export class QueuedFrames {
  /** How many there are. */
  count = 0;
  /** How many keys they have. */
  keyCount = 0;
  #chunks: Buffer[] = [];
  #chunk: Buffer | null = null;
  #used = 0;
  #keys = new Uint32Array(FIRST_KEYS * FIELDS);
  #sealedBytes = 0;
  /** Where the frame that was added last begins in the chunk. */
  #last = 0;

  /** Bytes that are held. */
  get bytes(): number {
    return this.#sealedBytes + this.#used + this.#keys.byteLength;
  }

  /** Adds a copy of `source[start, end)`. */
  add(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    let chunk = this.#chunk;
    if (chunk === null || this.#used + length > chunk.length) {
      const size = chunk === null ? FIRST_CHUNK : Math.min(chunk.length * 2, LARGEST_CHUNK);
      this.#seal();
      chunk = Buffer.allocUnsafeSlow(Math.max(size, length));
      this.#chunk = chunk;
    }
    chunk.set(source.subarray(start, end), this.#used);
    this.#last = this.#used;
    this.#used += length;
    this.count++;
  }

  /** Notes a key of the frame that was added last. @param at where it begins in the frame */
  addKey(at: number, length: number, hash: KeyHash): void {
    const first = this.keyCount * FIELDS;
    if (first === this.#keys.length) {
      const larger = new Uint32Array(first * 2);
      larger.set(this.#keys);
      this.#keys = larger;
    }
    this.#keys[first] = this.#chunks.length;
    this.#keys[first + 1] = this.#last + at;
    this.#keys[first + 2] = length;
    this.#keys[first + 3] = hash;
    this.keyCount++;
  }

  /** The hash of key number `i`. */
  hashAt(i: number): KeyHash {
    return keptHash(this.#keys[i * FIELDS + 3] as number);
  }

  /** The bytes of key number `i`: a part of its frame. */
  keyAt(i: number): Buffer {
    const first = i * FIELDS;
    const chunk = (this.#chunks[this.#keys[first] as number] ?? this.#chunk) as Buffer;
    const at = this.#keys[first + 1] as number;
    return chunk.subarray(at, at + (this.#keys[first + 2] as number));
  }

  /** All frames, in pieces that belong to the caller from now on. Nothing may be added any more. */
  take(): readonly Buffer[] {
    this.#seal();
    return this.#chunks;
  }

  clear(): void {
    this.count = 0;
    this.keyCount = 0;
    this.#chunks = [];
    this.#chunk = null;
    this.#used = 0;
    this.#sealedBytes = 0;
    this.#keys = new Uint32Array(FIRST_KEYS * FIELDS);
  }

  #seal(): void {
    const chunk = this.#chunk;
    if (chunk === null) return;
    this.#chunks.push(chunk.subarray(0, this.#used));
    this.#sealedBytes += this.#used;
    this.#chunk = null;
    this.#used = 0;
  }
}
