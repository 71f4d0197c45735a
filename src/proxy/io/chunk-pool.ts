import { lastingBytes } from '../../resp/words.js';

/** Spare buffers of one size, for large pieces, so that a write does not cost an allocation. Bounded: what is given back beyond `spareLimit` is left to the collector. */
export class ChunkPool {
  readonly chunkSize: number;
  readonly #spareLimit: number;
  readonly #spares: Buffer[] = [];
  /** What `borrow` has given out. */
  readonly #borrowed = new Set<Buffer>();

  constructor(chunkSize: number, spareLimit: number) {
    this.chunkSize = chunkSize;
    this.#spareLimit = spareLimit;
  }

  take(): Buffer {
    return this.#spares.pop() ?? lastingBytes(this.chunkSize);
  }

  /**
   * One for a piece of any size, as long as few are out, so that no memory is asked of the system for it: where it is freed
   * again behind each piece its pages come and go, which takes longer than to send them.
   * @returns null when too many wait in such already
   */
  borrow(): Buffer | null {
    if (this.#borrowed.size >= this.#spareLimit) return null;
    const chunk = this.take();
    this.#borrowed.add(chunk);
    return chunk;
  }

  /** Nobody gives it back: it is left to the collector. */
  lose(chunk: Buffer): void {
    this.#borrowed.delete(chunk);
  }

  give(chunk: Buffer): void {
    this.#borrowed.delete(chunk);
    if (this.#spares.length < this.#spareLimit) this.#spares.push(chunk);
  }
}
