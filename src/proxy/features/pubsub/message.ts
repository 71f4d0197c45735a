/** What a node sends on a connection that subscribes, in RESP2: arrays that begin with a word. */
import { parseIntegerLine } from '../../../resp/inspect.js';

const DOLLAR = 0x24;
const STAR = 0x2a;
const LF = 0x0a;
const MOST_FIELDS = 4;

/** Where the fields of the array at hand stand; reused for each. */
export class FeedMessage {
  readonly start = new Int32Array(MOST_FIELDS);
  readonly end = new Int32Array(MOST_FIELDS);
  count = 0;

  /**
   * Finds the fields of the frame `buffer[start, end)`, which is whole. Fields behind the fourth are left out, and
   * one that is no bulk (a count, nil) is empty.
   * @returns false when it is no array
   */
  parse(buffer: Buffer, start: number, end: number): boolean {
    if (buffer[start] !== STAR) return false;
    let at = buffer.indexOf(LF, start) + 1;
    this.count = 0;
    while (at < end && this.count < MOST_FIELDS) {
      const lineEnd = buffer.indexOf(LF, at) + 1;
      const length = buffer[at] === DOLLAR ? parseIntegerLine(buffer, at, lineEnd) : -1;
      this.start[this.count] = lineEnd;
      this.end[this.count] = lineEnd + Math.max(0, length);
      this.count++;
      at = length < 0 ? lineEnd : lineEnd + length + 2;
    }
    return true;
  }

  /** The field with one character for each byte. */
  text(buffer: Buffer, field: number): string {
    return buffer.toString('latin1', this.start[field], this.end[field]);
  }
}
