/** Bytes that are put together: numbers in as few bytes as they need (LEB128), texts with their lengths in front. */
const FIRST_BYTES = 4096;
const LOW_BITS = 0x80;

export class BytesWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param value a safe integer, not negative */
  count(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= LOW_BITS) {
      this.#buffer[this.#length++] = (rest % LOW_BITS) | LOW_BITS;
      rest = Math.floor(rest / LOW_BITS);
    }
    this.#buffer[this.#length++] = rest;
  }

  bytes(value: Uint8Array): void {
    this.count(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** @param value one character for each byte */
  text(value: string): void {
    this.count(value.length);
    this.#reserve(value.length);
    this.#length += this.#buffer.write(value, this.#length, 'latin1');
  }

  /** What was written, as bytes of their own. The writer begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
