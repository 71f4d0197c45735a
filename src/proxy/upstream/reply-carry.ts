/** A buffer for cut replies above this size is not kept for the next one. */
const KEPT_BYTES = 131_072;
const LEAST_BYTES = 4096;

/** Gathers a reply whose bytes come in several chunks. */
export class ReplyCarry {
  /** How many bytes are gathered. */
  used = 0;
  #buffer: Buffer | null = null;

  /** @param expected how many bytes of the reply are still to come behind these, as far as is known */
  gather(source: Buffer, start: number, end: number, expected: number): void {
    const needed = this.used + (end - start);
    let buffer = this.#buffer;
    if (buffer === null || buffer.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed + expected, needed * 2, LEAST_BYTES));
      buffer?.copy(larger, 0, 0, this.used);
      buffer = larger;
      this.#buffer = buffer;
    }
    source.copy(buffer, this.used, start, end);
    this.used = needed;
  }

  /**
   * @param mayBeReused whether the caller is through with the bytes before anything is gathered again
   * @returns what was gathered: bytes from 0 to `used` as it was; null when there is nothing
   */
  take(mayBeReused: boolean): Buffer | null {
    const buffer = this.#buffer;
    const isEmpty = this.used === 0;
    this.used = 0;
    if (buffer !== null && (!mayBeReused || buffer.length > KEPT_BYTES)) this.#buffer = null;
    return isEmpty ? null : buffer;
  }
}
