import type { ChunkPool } from '../io/chunk-pool.js';

/** What is kept of a frame that is cut is small at first, since thousands of clients may keep one. */
const LEAST_BYTES = 1024;
/** A carry above this size comes from the pool of large chunks. */
const POOLED_BYTES = 32_768;

/** What a client has sent and nobody could handle yet: a frame that is cut, or everything while the client waits. */
export class Carry {
  readonly #large: ChunkPool;
  #buffer: Buffer | null = null;
  #start = 0;
  #end = 0;

  /** @param large chunks for what does not fit into a small carry: allocating one costs more than filling it */
  constructor(large: ChunkPool) {
    this.#large = large;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#end - this.#start;
  }

  /**
   * Keeps `source[start, end)` behind what is kept already.
   * @param expected bytes that the frame at hand is known to have
   */
  keep(source: Uint8Array, start: number, end: number, expected: number): void {
    const length = end - start;
    const used = this.size;
    let buffer = this.#buffer;
    if (buffer === null || this.#end + length > buffer.length) {
      const larger = this.#take(Math.max(expected, (used + length) * 2, LEAST_BYTES));
      buffer?.copy(larger, 0, this.#start, this.#end);
      this.drop();
      buffer = larger;
      this.#buffer = buffer;
      this.#end = used;
    }
    buffer.set(source.subarray(start, end), this.#end);
    this.#end += length;
  }

  /** Keeps a copy of `source[start, end)` instead of what was kept, which it may be a part of. */
  replace(source: Buffer, start: number, end: number): void {
    const copy = Buffer.from(source.subarray(start, end));
    this.drop();
    this.#buffer = copy;
    this.#end = copy.length;
  }

  /** @param handle handles `buffer[start, end)`, and returns the offset behind what it has handled: that is not kept */
  offer(handle: (buffer: Buffer, start: number, end: number) => number): void {
    const buffer = this.#buffer;
    if (buffer === null) return;
    const handled = handle(buffer, this.#start, this.#end);
    // It was dropped or replaced meanwhile.
    if (this.#buffer !== buffer) return;
    this.#start = handled;
    if (handled === this.#end) this.drop();
  }

  drop(): void {
    const buffer = this.#buffer;
    if (buffer !== null && buffer.length === this.#large.chunkSize) this.#large.give(buffer);
    this.#buffer = null;
    this.#start = 0;
    this.#end = 0;
  }

  #take(bytes: number): Buffer {
    if (bytes <= POOLED_BYTES || bytes > this.#large.chunkSize) return Buffer.allocUnsafeSlow(bytes);
    return this.#large.take();
  }
}
