/**
 * Finds the frames of requests in a client's bytes: multibulk frames (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`) and
 * inline commands. What is malformed, and how the error is worded, is as in Redis 7.0 (networking.c:
 * processMultibulkBuffer, processInlineBuffer), with its quirks: the byte behind a header's CR and the two
 * behind a payload are skipped whatever they are, and a line with a zero byte never ends.
 *
 * One difference: Redis looks for lines that are too long once per read, so that it lets pass some of up to
 * 80 KiB, depending on how the bytes came in. Here the limit does not depend on that.
 *
 * Resumable: of an incomplete frame it remembers how far it got, relative to the frame's start, so that a
 * frame that comes in a thousand pieces is still read once.
 */
import { CR, DOLLAR, LF, NUL, STAR, ZERO } from './bytes.js';
import { encodeInline, splitInline } from './inline.js';
import { parseStrictInteger } from './integer.js';

export const INCOMPLETE = 0;
export const COMPLETE = 1;
export const MALFORMED = 2;
export type FrameOutcome = typeof INCOMPLETE | typeof COMPLETE | typeof MALFORMED;

export interface RequestLimits {
  /** Most arguments of a frame. Redis 7.0 has 2^31 - 1; versions before 7.0 have 1,048,576. */
  maxArgs: number;
  /** Bytes of the longest argument; Redis: 512 MiB (proto-max-bulk-len). */
  maxBulkLength: number;
  /** Bytes of the longest inline command and header line, without its line end; Redis: 64 KiB. */
  maxInlineLength: number;
  /** Before a client has authenticated, frames have at most 10 arguments of 16 KiB. */
  authenticated: boolean;
}

/** How TLS begins: a record of the handshake, of version 3 of what was SSL. */
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;
const UNAUTHENTICATED_ARGS = 10;
const UNAUTHENTICATED_BULK = 16_384;
/** Largest length that is read in place; longer ones go by the way of the strict grammar. */
const SHORT_BULK = 99_999;
/** Frames with more declared arguments get room for them as they come: a declaration alone costs nothing. */
const TRUSTED_ARGS = 65_536;
/** Larger tables of a frame that came in pieces are given back behind it. */
const KEPT_PARTS = 1024;

/**
 * The arguments of the frame that was completed last, one table for the process since a complete frame is
 * handled before the next one is framed. Offsets of the payloads in `framer.source`, without `$length\r\n`
 * and CRLF. The arrays are replaced by larger ones as needed: read them through the object.
 */
export const args: { start: Int32Array; end: Int32Array } = {
  start: new Int32Array(1024),
  end: new Int32Array(1024),
};

/** What stands in for `args` while other frames are read; null: in use. */
let spare: typeof args | null = { start: new Int32Array(1024), end: new Int32Array(1024) };

/**
 * Reads other frames while one is at hand, whose arguments are there again afterwards.
 * @param read may frame whatever it likes; its frames' arguments are in `args` until it returns
 */
export function readAside<T>(read: () => T): T {
  const { start, end } = args;
  const own = spare ?? { start: new Int32Array(1024), end: new Int32Array(1024) };
  spare = null;
  args.start = own.start;
  args.end = own.end;
  try {
    return read();
  } finally {
    spare = { start: args.start, end: args.end };
    args.start = start;
    args.end = end;
  }
}

const NO_BYTES = Buffer.alloc(0);
const NO_PARTS: Int32Array = new Int32Array(0);
/** What `#lineEnd` answers for a line that has not ended yet, and for one that is too long. */
const LINE_OPEN = -1;
const LINE_TOO_LONG = -2;

export class RequestFramer {
  limits: RequestLimits;
  /** Arguments of the complete frame, the command's name included; 0 for an empty frame, which has no answer. */
  argc = 0;
  /** The buffer that `args` and the frame's offsets refer to: the input, or an inline command's new frame. */
  source: Uint8Array = NO_BYTES;
  frameStart = 0;
  frameEnd = 0;
  /** The offset in the input behind the complete frame. */
  consumed = 0;
  /**
   * After MALFORMED: the error as Redis words it, without `-` and CRLF. One character a byte (latin1): an
   * error that names a byte of the input names it as it came.
   */
  error = '';
  /** Of an incomplete frame: the declared number of arguments, 0 when its header is not here yet. */
  argsDeclared = 0;
  /** Of an incomplete frame: the arguments that are here whole. */
  argsComplete = 0;
  /** Of an incomplete frame: the declared length of the argument that is being waited for, or -1. */
  bulkLength = -1;
  /** Of an incomplete frame: the least number of bytes that it will have, as far as what came says. */
  needed = 0;

  /** Offsets of an incomplete frame's arguments relative to its start. */
  #partStart: Int32Array = NO_PARTS;
  #partEnd: Int32Array = NO_PARTS;
  /** Where framing goes on, relative to the frame's start; 0 before the header was read. */
  #offset = 0;
  /** Where the search for a line's end goes on, relative to the frame's start. */
  #searched = 0;

  constructor(limits: RequestLimits) {
    this.limits = limits;
  }

  /**
   * Frames what begins at `start`. On INCOMPLETE the caller keeps the bytes `[start, end)` and calls again
   * with a buffer that has the same bytes from its `start` on, and more behind them. After MALFORMED nothing
   * that follows can be framed: answer `error` and close.
   */
  next(buffer: Uint8Array, start: number, end: number): FrameOutcome {
    if (this.#offset > 0) {
      return this.#bulks(
        buffer,
        start,
        end,
        start + this.#offset,
        this.argsDeclared,
        this.argsComplete,
        this.bulkLength,
      );
    }
    if (start >= end) return INCOMPLETE;
    if (buffer[start] !== STAR) return this.#inline(buffer, start, end);
    // The common header `*N\r\n` of one digit is read in place.
    if (start + 3 < end && buffer[start + 2] === CR) {
      const count = (buffer[start + 1] as number) - ZERO;
      if (count > 0 && count <= 9) return this.#bulks(buffer, start, end, start + 4, count, 0, -1);
    }
    return this.#header(buffer, start, end);
  }

  /** Where the payload of complete argument `i` of an incomplete frame begins, relative to the frame's start. */
  partialArgStart(i: number): number {
    return this.#partStart[i] as number;
  }

  /** Where it ends, relative to the frame's start. */
  partialArgEnd(i: number): number {
    return this.#partEnd[i] as number;
  }

  /** Nothing of an incomplete frame is remembered: the next one may be anybody's. */
  get isAtRest(): boolean {
    return this.#offset === 0 && this.#searched === 0;
  }

  /** Forgets the frame at hand. */
  reset(): void {
    this.#offset = 0;
    this.#searched = 0;
    this.argsDeclared = 0;
    this.argsComplete = 0;
    this.bulkLength = -1;
    this.needed = 0;
    if (this.#partStart.length > KEPT_PARTS) {
      this.#partStart = NO_PARTS;
      this.#partEnd = NO_PARTS;
    }
  }

  #header(buffer: Uint8Array, start: number, end: number): FrameOutcome {
    const lineEnd = this.#lineEnd(buffer, start, start, end);
    if (lineEnd === LINE_TOO_LONG) return this.#fail('too big mbulk count string');
    if (lineEnd === LINE_OPEN) {
      this.needed = end - start + 1;
      return INCOMPLETE;
    }
    const count = parseStrictInteger(buffer, start + 1, lineEnd);
    // Not a number is neither less nor more.
    if (!(count <= this.limits.maxArgs)) return this.#fail('invalid multibulk length');
    if (count > UNAUTHENTICATED_ARGS && !this.limits.authenticated) {
      return this.#fail('unauthenticated multibulk length');
    }
    if (count <= 0) return this.#empty(buffer, start, lineEnd + 2);
    this.#searched = 0;
    return this.#bulks(buffer, start, end, lineEnd + 2, count, 0, -1);
  }

  /**
   * Reads the arguments from number `from` on.
   * @param next where the next header begins, or with `pending >= 0` the payload of an argument of that length
   */
  #bulks(
    buffer: Uint8Array,
    start: number,
    end: number,
    next: number,
    count: number,
    from: number,
    pending: number,
  ): FrameOutcome {
    if (args.start.length < count) reserveArgs(Math.min(count, Math.max(TRUSTED_ARGS, from * 2)));
    let starts = args.start;
    let ends = args.end;
    const { limits } = this;
    const shortBulk = Math.min(limits.maxBulkLength, limits.authenticated ? SHORT_BULK : UNAUTHENTICATED_BULK);
    let at = next;
    let length = pending;
    let i = from;
    for (; i < count; i++) {
      if (length < 0) {
        // Up to five digits are read in place, where seven bytes are sure to be there.
        if (at + 6 < end && buffer[at] === DOLLAR) {
          let digit = (buffer[at + 1] as number) - ZERO;
          if (digit > 0) {
            let value = 0;
            let p = at + 1;
            while (digit >= 0 && digit <= 9 && p < at + 6) {
              value = value * 10 + digit;
              digit = (buffer[++p] as number) - ZERO;
            }
            if (p > at + 1 && p + 1 < end && buffer[p] === CR && value <= shortBulk) {
              length = value;
              at = p + 2;
            }
          }
        }
        if (length < 0) {
          const lineEnd = this.#lineEnd(buffer, at, start, end);
          if (lineEnd === LINE_TOO_LONG) return this.#fail('too big bulk count string');
          if (lineEnd === LINE_OPEN) {
            return this.#suspend(starts, ends, start, count, from, i, at, -1, end - start + 1);
          }
          length = this.#bulkLength(buffer, at, lineEnd);
          if (length < 0) return MALFORMED;
          this.#searched = 0;
          at = lineEnd + 2;
        }
      }
      const payloadEnd = at + length;
      if (payloadEnd + 2 > end) {
        return this.#suspend(starts, ends, start, count, from, i, at, length, payloadEnd + 2 - start);
      }
      if (i >= starts.length) {
        reserveArgs(Math.min(count, i * 2));
        starts = args.start;
        ends = args.end;
      }
      starts[i] = at;
      ends[i] = payloadEnd;
      at = payloadEnd + 2;
      length = -1;
    }
    for (let k = 0; k < from; k++) {
      starts[k] = start + (this.#partStart[k] as number);
      ends[k] = start + (this.#partEnd[k] as number);
    }
    if (this.#offset > 0) this.reset();
    // May be left over from a header that was cut, and then read in place.
    this.#searched = 0;
    this.argc = count;
    this.source = buffer;
    this.frameStart = start;
    this.frameEnd = at;
    this.consumed = at;
    return COMPLETE;
  }

  /** The length in the header line `buffer[at, lineEnd)`, or -1 when it is malformed. */
  #bulkLength(buffer: Uint8Array, at: number, lineEnd: number): number {
    const first = buffer[at] as number;
    if (first !== DOLLAR) this.#fail(`expected '$', got '${String.fromCharCode(first)}'`);
    else {
      const length = parseStrictInteger(buffer, at + 1, lineEnd);
      if (!(length >= 0 && length <= this.limits.maxBulkLength)) this.#fail('invalid bulk length');
      else if (length <= UNAUTHENTICATED_BULK || this.limits.authenticated) return length;
      else this.#fail('unauthenticated bulk length');
    }
    return -1;
  }

  /** Remembers how far the frame is here: arguments `[from, complete)` are new. */
  #suspend(
    starts: Int32Array,
    ends: Int32Array,
    start: number,
    count: number,
    from: number,
    complete: number,
    at: number,
    length: number,
    needed: number,
  ): FrameOutcome {
    if (this.#partStart.length < complete) {
      const size = Math.max(16, complete * 2);
      this.#partStart = grown(this.#partStart, size);
      this.#partEnd = grown(this.#partEnd, size);
    }
    for (let i = from; i < complete; i++) {
      this.#partStart[i] = (starts[i] as number) - start;
      this.#partEnd[i] = (ends[i] as number) - start;
    }
    this.argsDeclared = count;
    this.argsComplete = complete;
    this.bulkLength = length;
    this.#offset = at - start;
    this.needed = needed;
    return INCOMPLETE;
  }

  /**
   * Finds the end of the header line that begins at `lineStart`.
   * @returns the offset of its CR, behind which at least one more byte is here, or LINE_OPEN or LINE_TOO_LONG
   */
  #lineEnd(buffer: Uint8Array, lineStart: number, start: number, end: number): number {
    let at = Math.max(lineStart, start + this.#searched);
    while (at < end && buffer[at] !== CR && buffer[at] !== NUL) at++;
    const { maxInlineLength } = this.limits;
    if (at - lineStart > maxInlineLength) return LINE_TOO_LONG;
    if (at + 1 < end && buffer[at] === CR) return at;
    this.#searched = at - start;
    // Redis searches with strchr, which does not look beyond a zero byte.
    return at < end && buffer[at] === NUL && end - lineStart > maxInlineLength ? LINE_TOO_LONG : LINE_OPEN;
  }

  #inline(buffer: Uint8Array, start: number, end: number): FrameOutcome {
    if (isTlsGreeting(buffer, start, end)) return this.#fail('TLS is not spoken here');
    const { maxInlineLength } = this.limits;
    let newline = start + this.#searched;
    while (newline < end && buffer[newline] !== LF && buffer[newline] !== NUL) newline++;
    const open = newline === end || buffer[newline] === NUL;
    if ((open ? end : newline) - start > maxInlineLength) return this.#fail('too big inline request');
    if (open) {
      this.#searched = newline - start;
      this.needed = end - start + 1;
      return INCOMPLETE;
    }
    const lineEnd = newline > start && buffer[newline - 1] === CR ? newline - 1 : newline;
    const words = splitInline(buffer, start, lineEnd);
    if (words === null) return this.#fail('unbalanced quotes in request');
    if (words.length === 0) return this.#empty(buffer, start, newline + 1);
    reserveArgs(words.length);
    this.reset();
    this.source = encodeInline(words, args);
    this.argc = words.length;
    this.frameStart = 0;
    this.frameEnd = this.source.length;
    this.consumed = newline + 1;
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

/** Whether what stands there is how TLS begins: a record of a handshake, which never is a command. */
export function isTlsGreeting(buffer: Uint8Array, start: number, end: number): boolean {
  return buffer[start] === TLS_HANDSHAKE && start + 1 < end && buffer[start + 1] === TLS_MAJOR;
}

function grown(values: Int32Array, size: number): Int32Array {
  const larger = new Int32Array(size);
  larger.set(values);
  return larger;
}

function reserveArgs(size: number): void {
  if (size <= args.start.length) return;
  args.start = grown(args.start, size);
  args.end = grown(args.end, size);
}
