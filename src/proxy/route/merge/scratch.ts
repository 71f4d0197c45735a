import { copyBytes } from '../../../resp/bytes.js';
import { writeArrayHeader, writeBulkHeader, writeInteger } from '../../../resp/encode.js';
import { lastingBytes, wordsOf } from '../../../resp/words.js';

const INITIAL_BYTES = 65_536;
/** A larger buffer is not kept for the next reply. */
const KEPT_BYTES = 1_048_576;
/** Bytes that are given away and are fewer are copied all the same: a piece costs more than that. */
const LEAST_PIECE = 16_384;

/** A growing buffer in which one reply is built; what is large and given away goes in between without a copy. */
export class Scratch {
  buffer = lastingBytes(INITIAL_BYTES);
  length = 0;
  #words = wordsOf(this.buffer);
  #pieces: Buffer[] = [];

  clear(): void {
    this.length = 0;
    this.#pieces = [];
    if (this.buffer.length > KEPT_BYTES) this.#use(lastingBytes(INITIAL_BYTES));
  }

  append(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    copyBytes(this.buffer, this.#words, this.length, source, start, end);
    this.length += end - start;
  }

  /** As `append`, of bytes that nobody else writes to any more. */
  give(bytes: Buffer): void {
    if (bytes.length < LEAST_PIECE) {
      this.append(bytes, 0, bytes.length);
      return;
    }
    this.#seal();
    this.#pieces.push(bytes);
  }

  /** @returns what was built, where something large was given away; null: it is all in `buffer` */
  takePieces(): Buffer[] | null {
    if (this.#pieces.length === 0) return null;
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
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

  #seal(): void {
    if (this.length > 0) this.#pieces.push(Buffer.from(this.buffer.subarray(0, this.length)));
    this.length = 0;
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
