/** Reads the bulks of an array whose bytes lie in several pieces, cut anywhere. */
import type { Scratch } from './scratch.js';

const LF = 0x0a;
const DOLLAR = 0x24;
const UNDERSCORE = 0x5f;
const CRLF = 2;

export class PieceCursor {
  readonly #pieces: readonly Buffer[];
  #piece = 0;
  #at = 0;

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = pieces;
  }

  /** Takes the rest of the line. @returns without its end; null: the bytes end before it does */
  readLine(): string | null {
    let line = '';
    for (;;) {
      const piece = this.#pieces[this.#piece];
      if (piece === undefined) return null;
      const end = piece.indexOf(LF, this.#at);
      line += piece.toString('latin1', this.#at, end < 0 ? piece.length : end);
      if (end >= 0) {
        this.#at = end + 1;
        return line.replace(/\r$/, '');
      }
      this.#nextPiece();
    }
  }

  /**
   * Takes the bulk that is next, and gives its bytes away.
   * @returns whether it is a value, and not nil; null: the bytes end before it does, or it is no bulk
   */
  giveBulk(out: Scratch): boolean | null {
    const header = this.readLine();
    const first = header?.charCodeAt(0);
    if (header === null || (first !== DOLLAR && first !== UNDERSCORE)) return null;
    out.text(`${header}\r\n`);
    const length = first === UNDERSCORE ? -1 : Number(header.slice(1));
    if (length < 0) return false;
    return this.#give(length + CRLF, out) ? true : null;
  }

  #give(bytes: number, out: Scratch): boolean {
    let left = bytes;
    while (left > 0) {
      const piece = this.#pieces[this.#piece];
      if (piece === undefined) return false;
      const end = Math.min(piece.length, this.#at + left);
      out.give(piece.subarray(this.#at, end));
      left -= end - this.#at;
      this.#at = end;
      if (end === piece.length) this.#nextPiece();
    }
    return true;
  }

  #nextPiece(): void {
    this.#piece++;
    this.#at = 0;
  }
}
