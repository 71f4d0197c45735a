/**
 * The frames of a transaction, one behind the other, and where their keys are. A queued command costs its bytes and 16
 * more for each of its keys: an object for each would take ten times what a client sends, and `client-query-limit` is to
 * bound what is held.
 *
 *   chunks   [frame][frame]… [frame]…         sent as they are
 *   keys     chunk, offset, length, hash | …  flat
 */
import { type KeyHash, keptHash } from '../../../ring/rings.js';
import { ByteChunks } from './byte-chunks.js';

const FIELDS = 4;
const FIRST_KEYS = 4;

export class QueuedFrames {
  /** How many there are. */
  count = 0;
  /** How many keys they have. */
  keyCount = 0;
  readonly #chunks = new ByteChunks();
  #keys = new Uint32Array(FIRST_KEYS * FIELDS);

  /** Bytes that are held. */
  get bytes(): number {
    return this.#chunks.length + this.#keys.byteLength;
  }

  /** Adds a copy of `source[start, end)`. */
  add(source: Uint8Array, start: number, end: number): void {
    this.#chunks.add(source, start, end);
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
    this.#keys[first] = this.#chunks.lastChunk;
    this.#keys[first + 1] = this.#chunks.last + at;
    this.#keys[first + 2] = length;
    this.#keys[first + 3] = hash;
    this.keyCount++;
  }

  /** The hash of key number `i`. */
  hashAt(i: number): KeyHash {
    return keptHash(this.#keys[i * FIELDS + 3] as number);
  }

  /** The number of the chunk that key number `i` is in, among those that `take` gives. */
  chunkOf(i: number): number {
    return this.#keys[i * FIELDS] as number;
  }

  /** Where key number `i` begins in its chunk. */
  offsetOf(i: number): number {
    return this.#keys[i * FIELDS + 1] as number;
  }

  /** The bytes of key number `i`: a part of its frame. */
  keyAt(i: number): Buffer {
    const at = this.offsetOf(i);
    return this.#chunks.at(this.chunkOf(i)).subarray(at, at + (this.#keys[i * FIELDS + 2] as number));
  }

  /** All frames so far, in pieces to be read and not kept. */
  held(): readonly Buffer[] {
    return this.#chunks.held();
  }

  /** All frames, in pieces that belong to the caller from now on. Nothing may be added any more. */
  take(): readonly Buffer[] {
    return this.#chunks.take();
  }

  clear(): void {
    this.count = 0;
    this.keyCount = 0;
    this.#chunks.clear();
    this.#keys = new Uint32Array(FIRST_KEYS * FIELDS);
  }
}
