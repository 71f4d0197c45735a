import { copyBytes } from '../../../resp/bytes.js';
import { writeArrayHeader, writeBulkHeader, writeInteger } from '../../../resp/encode.js';
import { lastingBytes, wordsOf } from '../../../resp/words.js';

const INITIAL_BYTES = 65_536;
/** A larger buffer is not kept for the next reply. */
const KEPT_BYTES = 1_048_576;

/** A growing buffer in which one reply is built. */
export class Scratch {
  buffer = lastingBytes(INITIAL_BYTES);
  length = 0;
  #words = wordsOf(this.buffer);

  clear(): void {
    this.length = 0;
    if (this.buffer.length > KEPT_BYTES) this.#use(lastingBytes(INITIAL_BYTES));
  }

  append(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    copyBytes(this.buffer, this.#words, this.length, source, start, end);
    this.length += end - start;
  }

  text(text: string): void {
    this.#reserve(text.length * 3);
    this.length += this.buffer.write(text, this.length, 'utf8');
  }

  /** `*count\r\n` */
  arrayHeader(count: number): void {
    this.#reserve(16);
    this.length = writeArrayHeader(this.buffer, this.length, count);
  }

  /** `$length\r\n`; the payload and its CRLF follow. */
  bulkHeader(length: number): void {
    this.#reserve(16);
    this.length = writeBulkHeader(this.buffer, this.length, length);
  }

  /** `:value\r\n` */
  integer(value: number): void {
    this.#reserve(32);
    this.length = writeInteger(this.buffer, this.length, value);
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const larger = lastingBytes(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.length);
    this.#use(larger);
  }

  #use(buffer: Buffer): void {
    this.buffer = buffer;
    this.#words = wordsOf(buffer);
  }
}
