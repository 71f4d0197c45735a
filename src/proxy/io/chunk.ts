import { lastingBytes, wordsOf } from '../../resp/words.js';
import { batches } from './batch/batches.js';
import { type Place, placeOf } from './batch/kernel-batch.js';
import { freeBytes } from './free-bytes.js';

/** Memory in which an outlet gathers what it writes, used again and again. */
export class Chunk {
  readonly bytes: Buffer;
  readonly words: DataView | null;
  readonly size: number;
  /** Where it is, for writes that are made together; null: there are none. */
  readonly place: Place | null;
  readonly #memory: ArrayBufferLike;
  readonly #offset: number;
  #beginning: Uint8Array;

  constructor(size: number) {
    this.bytes = lastingBytes(size);
    this.words = wordsOf(this.bytes);
    this.size = size;
    this.#memory = this.bytes.buffer;
    this.#offset = this.bytes.byteOffset;
    this.#beginning = this.bytes;
    const system = batches()?.system;
    this.place = system === undefined ? null : placeOf(system, this.bytes);
  }

  /**
   * Its first `length` bytes. To make a view costs as much as copying some hundred bytes, and many replies are as long as
   * the one before: so the last one is kept.
   */
  beginning(length: number): Uint8Array {
    if (this.#beginning.length !== length) this.#beginning = new Uint8Array(this.#memory, this.#offset, length);
    return this.#beginning;
  }
}

/** Spare chunks of one size. Bounded: what is given back beyond `spareLimit` is freed. */
export class Chunks {
  readonly chunkSize: number;
  readonly #spareLimit: number;
  readonly #spares: Chunk[] = [];

  constructor(chunkSize: number, spareLimit: number) {
    this.chunkSize = chunkSize;
    this.#spareLimit = spareLimit;
  }

  take(): Chunk {
    return this.#spares.pop() ?? new Chunk(this.chunkSize);
  }

  give(chunk: Chunk): void {
    if (this.#spares.length < this.#spareLimit) this.#spares.push(chunk);
    else freeBytes(chunk.bytes);
  }
}
