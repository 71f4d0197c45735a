/** Bytes that are gathered in few chunks: millions of small pieces cost what they hold, and not an object each. */
const FIRST_CHUNK = 1024;
const LARGEST_CHUNK = 1_048_576;
/** A piece of so many bytes costs less as a chunk of its own than to be copied. */
const LEAST_OWNED = 65_536;

export class ByteChunks {
  #sealed: Buffer[] = [];
  #chunk: Buffer | null = null;
  #used = 0;
  #sealedBytes = 0;
  #last = 0;

  /** Bytes that are held. */
  get length(): number {
    return this.#sealedBytes + this.#used;
  }

  /** The number of the chunk that the piece is in which was added last; `at` finds it. */
  get lastChunk(): number {
    return this.#sealed.length;
  }

  /** Where the piece that was added last begins in its chunk. */
  get last(): number {
    return this.#last;
  }

  /** Adds a copy of `source[start, end)`, in one chunk. */
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
  }

  /** Adds `source[start, end)`, a large piece as it is: nobody may write to it any more. */
  addOwned(source: Buffer, start: number, end: number): void {
    if (end - start < LEAST_OWNED) {
      this.add(source, start, end);
      return;
    }
    this.#seal();
    this.#sealed.push(source.subarray(start, end));
    this.#sealedBytes += end - start;
  }

  /** The chunk with this number. There is one. */
  at(chunk: number): Buffer {
    return (this.#sealed[chunk] ?? this.#chunk) as Buffer;
  }

  /** All bytes, in chunks of which each holds whole pieces, as far as they have come. */
  held(): readonly Buffer[] {
    const chunk = this.#chunk;
    return chunk === null ? this.#sealed : [...this.#sealed, chunk.subarray(0, this.#used)];
  }

  /** All bytes, in chunks of which each holds whole pieces. Nothing may be added any more. */
  take(): readonly Buffer[] {
    this.#seal();
    return this.#sealed;
  }

  clear(): void {
    this.#sealed = [];
    this.#chunk = null;
    this.#used = 0;
    this.#sealedBytes = 0;
  }

  #seal(): void {
    const chunk = this.#chunk;
    if (chunk === null) return;
    this.#sealed.push(chunk.subarray(0, this.#used));
    this.#sealedBytes += this.#used;
    this.#chunk = null;
    this.#used = 0;
  }
}
