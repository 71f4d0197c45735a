/** Reads what `BytesWriter` has written. Whatever comes may be cut, or garbage: then it has `failed`, and gives nothing more. */
const LOW_BITS = 0x80;

export class BytesReader {
  readonly #bytes: Buffer;
  #at = 0;
  #failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get isAtEnd(): boolean {
    return this.#failed || this.#at >= this.#bytes.length;
  }

  /** @returns a safe integer, not negative; 0 when it has failed */
  count(): number {
    let value = 0;
    for (let scale = 1; ; scale *= LOW_BITS) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || this.#failed) return this.#fail();
      value += (byte % LOW_BITS) * scale;
      if (value > Number.MAX_SAFE_INTEGER) return this.#fail();
      if (byte < LOW_BITS) return value;
    }
  }

  /** @returns bytes of the message, to be copied by whoever keeps them: one value must not keep all of it alive */
  bytes(): Buffer {
    return this.#piece();
  }

  /** @returns one character for each byte */
  text(): string {
    return this.#piece().toString('latin1');
  }

  /** What follows says something that cannot be. */
  refuse(): void {
    this.#fail();
  }

  #piece(): Buffer {
    const length = this.count();
    if (this.#failed || length > this.#bytes.length - this.#at) {
      this.#fail();
      return this.#bytes.subarray(0, 0);
    }
    const piece = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return piece;
  }

  #fail(): 0 {
    this.#failed = true;
    return 0;
  }
}
