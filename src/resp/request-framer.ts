/**
 * Finds the frames of requests in a client's bytes: multibulk frames (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`) and
 * inline commands. Limits and error texts are those of Redis 7.0 (networking.c: processMultibulkBuffer,
 * processInlineBuffer).
 *
 * Resumable: of an incomplete frame it remembers how far it got, relative to the frame's start, so that a
 * frame that comes in a thousand pieces is still read once.
 */
import { CR, DOLLAR, LF, MINUS, STAR, ZERO } from './bytes.js';
import { encodeInline, splitInline } from './inline.js';

export const INCOMPLETE = 0;
export const COMPLETE = 1;
export const MALFORMED = 2;
export type FrameOutcome = typeof INCOMPLETE | typeof COMPLETE | typeof MALFORMED;

export interface RequestLimits {
  /** Most arguments of a frame; Redis: 1,048,576. */
  maxArgs: number;
  /** Bytes of the longest argument; Redis: 512 MiB. */
  maxBulkLength: number;
  /** Bytes of the longest inline command and header line; Redis: 64 KiB. */
  maxInlineLength: number;
  /** Before a client has authenticated, frames have at most 10 arguments of 16 KiB. */
  authenticated: boolean;
}

const UNAUTHENTICATED_ARGS = 10;
const UNAUTHENTICATED_BULK = 16_384;

/**
 * The arguments of the frame that was completed last, one table for the process since a complete frame is
 * handled before the next one is framed. Offsets of the payloads in `framer.source`.
 */
export const args: { start: Int32Array; end: Int32Array } = {
  start: new Int32Array(1024),
  end: new Int32Array(1024),
};

const NO_BYTES = new Uint8Array(0);
/** What `#line` answers for a line that has not ended yet, and for one that is no number. */
const LINE_OPEN = -1;
const LINE_BAD = -2;
const LINE_TOO_LONG = -3;

export class RequestFramer {
  limits: RequestLimits;
  /** Arguments of the complete frame, the command's name included; 0 for an empty frame. */
  argc = 0;
  /** The buffer that `args` and the frame's offsets refer to. */
  source: Uint8Array = NO_BYTES;
  frameStart = 0;
  frameEnd = 0;
  /** The offset in the input behind the complete frame. */
  consumed = 0;
  /** After MALFORMED: the error as Redis words it, without `-` and CRLF. */
  error = '';
  /** Of an incomplete frame: the declared number of arguments, 0 when its header is not here yet. */
  argsDeclared = 0;
  /** Of an incomplete frame: the arguments that are here whole. */
  argsComplete = 0;
  /** Of an incomplete frame: the declared length of the argument that is being waited for, or -1. */
  bulkLength = -1;
  /** Of an incomplete frame: the least number of bytes that it will have. */
  needed = 0;

  /** Offsets relative to the frame's start of an incomplete frame's arguments. */
  #partStart = new Int32Array(0);
  #partEnd = new Int32Array(0);
  /** Where framing goes on, relative to the frame's start. */
  #offset = 0;
  /** Where the search for a line's end goes on, relative to the frame's start. */
  #searched = 0;
  /** The number and the end of the line that `#line` read. */
  #lineValue = 0;
  #lineEnd = 0;

  constructor(limits: RequestLimits) {
    this.limits = limits;
  }

  /**
   * Frames what begins at `start`. On INCOMPLETE the caller keeps the bytes `[start, end)` and calls again
   * with a buffer that has the same bytes from its `start` on, and more behind them.
   */
  next(buffer: Uint8Array, start: number, end: number): FrameOutcome {
    if (start >= end) return INCOMPLETE;
    if (this.#offset === 0) {
      if (buffer[start] !== STAR) return this.#inline(buffer, start, end);
      const outcome = this.#header(buffer, start, end);
      if (outcome !== COMPLETE || this.argsDeclared === 0) return outcome;
    }
    return this.#bulks(buffer, start, end);
  }

  /** Where argument `i` of an incomplete frame begins, relative to the frame's start. */
  partialArgStart(i: number): number {
    return this.#partStart[i] as number;
  }

  partialArgEnd(i: number): number {
    return this.#partEnd[i] as number;
  }

  /** Forgets the frame at hand. */
  reset(): void {
    this.#offset = 0;
    this.#searched = 0;
    this.argsDeclared = 0;
    this.argsComplete = 0;
    this.bulkLength = -1;
    this.needed = 0;
  }

  #header(buffer: Uint8Array, start: number, end: number): FrameOutcome {
    const status = this.#line(buffer, start + 1, end, start);
    if (status === LINE_OPEN) {
      this.needed = end - start + 1;
      return INCOMPLETE;
    }
    if (status === LINE_TOO_LONG) return this.#fail('too big mbulk count string');
    const count = this.#lineValue;
    if (status === LINE_BAD || count > this.limits.maxArgs) return this.#fail('invalid multibulk length');
    if (!this.limits.authenticated && count > UNAUTHENTICATED_ARGS) {
      return this.#fail('unauthenticated multibulk length');
    }
    if (count <= 0) return this.#empty(buffer, start, this.#lineEnd);
    this.argsDeclared = count;
    this.argsComplete = 0;
    this.bulkLength = -1;
    this.#offset = this.#lineEnd - start;
    this.#searched = 0;
    return COMPLETE;
  }

  #bulks(buffer: Uint8Array, start: number, end: number): FrameOutcome {
    const count = this.argsDeclared;
    const resumed = this.argsComplete;
    if (args.start.length < count && count <= 65_536) growArgs(count);
    let starts = args.start;
    let ends = args.end;
    let at = start + this.#offset;
    let i = resumed;
    let length = this.bulkLength;
    while (i < count) {
      if (length < 0) {
        // The common header, `$` and one or two digits, is read in place.
        const first = (buffer[at + 1] as number) - ZERO;
        if (at + 3 < end && buffer[at] === DOLLAR && first >= 0 && first <= 9 && buffer[at + 2] === CR) {
          length = first;
          at += 4;
        } else {
          const outcome = this.#bulkHeader(buffer, at, end, start);
          if (outcome === MALFORMED) return MALFORMED;
          if (outcome === INCOMPLETE) return this.#suspend(starts, ends, resumed, i, start, at, -1, end - start + 1);
          length = this.#lineValue;
          at = this.#lineEnd;
          this.#searched = 0;
        }
      }
      if (end - at < length + 2) {
        return this.#suspend(starts, ends, resumed, i, start, at, length, at - start + length + 2);
      }
      if (i >= starts.length) {
        growArgs(Math.min(count, i * 2));
        starts = args.start;
        ends = args.end;
      }
      starts[i] = at;
      ends[i] = at + length;
      at += length + 2;
      length = -1;
      i++;
    }
    for (let k = 0; k < resumed; k++) {
      if (k >= args.start.length) growArgs(count);
      args.start[k] = start + (this.#partStart[k] as number);
      args.end[k] = start + (this.#partEnd[k] as number);
    }
    this.argc = count;
    this.source = buffer;
    this.frameStart = start;
    this.frameEnd = at;
    this.consumed = at;
    // `#searched` may be left over from a header that was cut, and then read by the short cut above.
    this.reset();
    return COMPLETE;
  }

  #bulkHeader(buffer: Uint8Array, at: number, end: number, start: number): FrameOutcome {
    if (at >= end) return INCOMPLETE;
    const status = this.#line(buffer, at + 1, end, start);
    if (status === LINE_TOO_LONG) return this.#fail('too big bulk count string');
    if (status === LINE_OPEN) return INCOMPLETE;
    if (buffer[at] !== DOLLAR) return this.#fail(`expected '$', got '${String.fromCharCode(buffer[at] as number)}'`);
    if (status === LINE_BAD || this.#lineValue < 0 || this.#lineValue > this.limits.maxBulkLength) {
      return this.#fail('invalid bulk length');
    }
    if (!this.limits.authenticated && this.#lineValue > UNAUTHENTICATED_BULK) {
      return this.#fail('unauthenticated bulk length');
    }
    return COMPLETE;
  }

  /** Remembers how far the frame is here. */
  #suspend(
    starts: Int32Array,
    ends: Int32Array,
    from: number,
    complete: number,
    start: number,
    at: number,
    length: number,
    needed: number,
  ): FrameOutcome {
    if (this.#partStart.length < complete) {
      const size = Math.max(16, complete * 2);
      const grownStart = new Int32Array(size);
      const grownEnd = new Int32Array(size);
      grownStart.set(this.#partStart);
      grownEnd.set(this.#partEnd);
      this.#partStart = grownStart;
      this.#partEnd = grownEnd;
    }
    for (let i = from; i < complete; i++) {
      this.#partStart[i] = (starts[i] as number) - start;
      this.#partEnd[i] = (ends[i] as number) - start;
    }
    this.argsComplete = complete;
    this.bulkLength = length;
    this.#offset = at - start;
    this.needed = needed;
    return INCOMPLETE;
  }

  /** Reads the number from `at` up to the next CR. Redis skips the byte behind the CR whatever it is. */
  #line(buffer: Uint8Array, at: number, end: number, start: number): number {
    let cr = Math.max(at, start + this.#searched);
    while (cr < end && buffer[cr] !== CR) cr++;
    if (cr + 1 >= end) {
      this.#searched = cr - start;
      return end - at > this.limits.maxInlineLength ? LINE_TOO_LONG : LINE_OPEN;
    }
    this.#searched = 0;
    this.#lineEnd = cr + 2;
    return this.#number(buffer, at, cr) ? 0 : LINE_BAD;
  }

  /** The grammar of Redis' string2ll: no leading zeros, no plus sign, no spaces. */
  #number(buffer: Uint8Array, from: number, to: number): boolean {
    let at = from;
    const negative = buffer[at] === MINUS;
    if (negative) at++;
    const digits = to - at;
    if (digits < 1 || digits > 15) return false;
    if (buffer[at] === ZERO && (digits > 1 || negative)) return false;
    let value = 0;
    for (; at < to; at++) {
      const digit = (buffer[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return false;
      value = value * 10 + digit;
    }
    this.#lineValue = negative ? -value : value;
    return true;
  }

  #inline(buffer: Uint8Array, start: number, end: number): FrameOutcome {
    let newline = start + this.#searched;
    while (newline < end && buffer[newline] !== LF) newline++;
    if (newline === end) {
      this.#searched = end - start;
      this.needed = end - start + 1;
      if (end - start > this.limits.maxInlineLength) return this.#fail('too big inline request');
      return INCOMPLETE;
    }
    this.#searched = 0;
    const lineEnd = newline > start && buffer[newline - 1] === CR ? newline - 1 : newline;
    const words = splitInline(buffer, start, lineEnd);
    if (words === null) return this.#fail('unbalanced quotes in request');
    if (words.length === 0) return this.#empty(buffer, start, newline + 1);
    if (args.start.length < words.length) growArgs(words.length);
    this.source = encodeInline(words, args);
    this.argc = words.length;
    this.frameStart = 0;
    this.frameEnd = this.source.length;
    this.consumed = newline + 1;
    this.needed = 0;
    return COMPLETE;
  }

  #empty(buffer: Uint8Array, start: number, consumed: number): FrameOutcome {
    this.reset();
    this.argc = 0;
    this.source = buffer;
    this.frameStart = start;
    this.frameEnd = consumed;
    this.consumed = consumed;
    return COMPLETE;
  }

  #fail(what: string): FrameOutcome {
    this.reset();
    this.error = `ERR Protocol error: ${what}`;
    return MALFORMED;
  }
}

function growArgs(count: number): void {
  const start = new Int32Array(count);
  const end = new Int32Array(count);
  start.set(args.start.subarray(0, count));
  end.set(args.end.subarray(0, count));
  args.start = start;
  args.end = end;
}
