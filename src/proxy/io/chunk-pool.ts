import { lastingBytes } from '../../resp/words.js';

/** Spare buffers of one size, for large pieces, so that a write does not cost an allocation. Bounded: what is given back beyond `spareLimit` is left to the collector. */
export class ChunkPool {
  readonly chunkSize: number;
  readonly #spareLimit: number;
  readonly #spares: Buffer[] = [];

  constructor(chunkSize: number, spareLimit: number) {
    this.chunkSize = chunkSize;
    this.#spareLimit = spareLimit;
  }

  take(): Buffer {
    return this.#spares.pop() ?? lastingBytes(this.chunkSize);
  }

  give(chunk: Buffer): void {
    if (this.#spares.length < this.#spareLimit) this.#spares.push(chunk);
  }
}
