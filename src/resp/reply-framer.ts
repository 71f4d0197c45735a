/**
 * Finds where replies end, in RESP2 and RESP3, without keeping any of their bytes: the state between two
 * chunks is a few numbers and, for nested replies, a stack of counts. Specification: the RESP pages of the
 * Redis documentation and RESP3's (github.com/antirez/RESP3).
 */
import { CR, DOLLAR, LF, MINUS, ZERO } from './bytes.js';

const QUESTION = 0x3f;
const SEMICOLON = 0x3b;
const DOT = 0x2e;
const PIPE = 0x7c;
const PERCENT = 0x25;
const MAX_DEPTH = 1024;
/** Header lines of aggregates and bulks are numbers; nothing longer is read as one. */
const MAX_NUMBER_DIGITS = 15;

/** Elements of a streamed aggregate: as many as come before its end mark. */
const STREAMED = -1;

const AT_TYPE = 0;
/** In a line whose text does not matter (simple strings, errors, numbers). */
const IN_LINE = 1;
/** In a header line: a length or a count. */
const IN_HEADER = 2;
/** In a payload of known length, CRLF included. */
const IN_PAYLOAD = 3;

/** What a header's number counts. */
const COUNTS_BYTES = 0;
const COUNTS_ELEMENTS = 1;
const COUNTS_PAIRS = 2;
const COUNTS_ATTRIBUTES = 3;
/** The next chunk of a streamed bulk. */
const COUNTS_CHUNK = 4;

type Meaning = 0 | 1 | 2 | 3 | 4;

const LINE_TYPES = new Uint8Array(256);
for (const type of '+-:_#,(') LINE_TYPES[type.charCodeAt(0)] = 1;

export class ReplyFramer {
  /** Whether the reply ended at the offset that `advance` returned. */
  complete = false;
  /** The first byte of the reply at hand, or of the last one. */
  type = 0;

  #state: 0 | 1 | 2 | 3 = AT_TYPE;
  #remaining = 0;
  /** Elements still to come, for each open aggregate. */
  #stack: number[] = [];
  #meaning: Meaning = COUNTS_BYTES;
  #number = 0;
  #digits = 0;
  #negative = false;
  #streamed = false;
  #sawCr = false;
  /** In chunks of a streamed bulk. */
  #inStreamedBulk = false;
  /** The next type byte begins a reply, not an element. */
  #atStart = true;

  /** Known bytes still to come of the bulk at hand, its CRLF included; 0 when none is. */
  get bulkRemaining(): number {
    return this.#state === IN_PAYLOAD ? this.#remaining : 0;
  }

  reset(): void {
    this.complete = false;
    this.#state = AT_TYPE;
    this.#stack.length = 0;
    this.#inStreamedBulk = false;
    this.#atStart = true;
    this.#sawCr = false;
  }

  /**
   * Advances over one reply in `buffer[start, end)`.
   * @returns the offset behind the bytes that belong to this reply (`end` when it is not complete), or -1
   * when they are not a reply
   */
  advance(buffer: Uint8Array, start: number, end: number): number {
    this.complete = false;
    if (this.#state === AT_TYPE && this.#stack.length === 0 && this.#atStart && start < end) {
      const type = buffer[start] as number;
      this.type = type;
      if (LINE_TYPES[type] === 1) {
        // A line that is whole, the most frequent reply to a write.
        let at = start + 1;
        while (at < end && buffer[at] !== CR) at++;
        if (at + 1 < end && buffer[at + 1] === LF) {
          this.complete = true;
          return at + 2;
        }
      } else if (type === DOLLAR) {
        const at = wholeBulkEnd(buffer, start + 1, end);
        if (at > 0) {
          this.complete = true;
          return at;
        }
      }
    }
    return this.#machine(buffer, start, end);
  }

  #machine(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case AT_TYPE: {
          if (!this.#beginType(buffer[at] as number)) return this.#malformed();
          at++;
          break;
        }
        case IN_LINE: {
          at = this.#skipLine(buffer, at, end);
          if (at < 0) return this.#malformed();
          if (!this.#inLine() && this.#endElement()) return this.#finish(at);
          break;
        }
        case IN_HEADER: {
          at = this.#readHeader(buffer, at, end);
          if (at < 0) return this.#malformed();
          if (!this.#inHeader()) {
            const outcome = this.#applyHeader();
            if (outcome < 0) return this.#malformed();
            if (outcome === 1) return this.#finish(at);
          }
          break;
        }
        default: {
          const taken = Math.min(this.#remaining, end - at);
          at += taken;
          this.#remaining -= taken;
          if (this.#remaining > 0) return at;
          this.#state = AT_TYPE;
          if (!this.#inStreamedBulk && this.#endElement()) return this.#finish(at);
        }
      }
    }
    return at;
  }

  #inLine(): boolean {
    return this.#state === IN_LINE;
  }

  #inHeader(): boolean {
    return this.#state === IN_HEADER;
  }

  #beginType(type: number): boolean {
    if (this.#inStreamedBulk && type !== SEMICOLON) return false;
    if (this.#atStart) {
      this.type = type;
      this.#atStart = false;
    }
    this.#number = 0;
    this.#digits = 0;
    this.#negative = false;
    this.#streamed = false;
    this.#sawCr = false;
    if (LINE_TYPES[type] === 1) {
      this.#state = IN_LINE;
      return true;
    }
    this.#state = IN_HEADER;
    switch (type) {
      case DOLLAR:
      case 0x21: // !
      case 0x3d: // =
        this.#meaning = COUNTS_BYTES;
        return true;
      case 0x2a: // *
      case 0x7e: // ~
      case 0x3e: // >
        this.#meaning = COUNTS_ELEMENTS;
        return true;
      case PERCENT:
        this.#meaning = COUNTS_PAIRS;
        return true;
      case PIPE:
        this.#meaning = COUNTS_ATTRIBUTES;
        return true;
      case SEMICOLON:
        this.#meaning = COUNTS_CHUNK;
        return this.#inStreamedBulk;
      case DOT:
        // The end of a streamed aggregate is a line of its own, without a number.
        this.#state = IN_LINE;
        return this.#endStreamed();
      default:
        return false;
    }
  }

  /** Skips to the end of a line. @returns where to go on, or -1 */
  #skipLine(buffer: Uint8Array, from: number, end: number): number {
    let at = from;
    if (this.#sawCr) {
      if (buffer[at] !== LF) return -1;
      this.#sawCr = false;
      this.#state = AT_TYPE;
      return at + 1;
    }
    while (at < end && buffer[at] !== CR) at++;
    if (at === end) return at;
    this.#sawCr = true;
    return at + 1;
  }

  /** Reads a header's number. @returns where to go on, or -1; the state stays IN_HEADER until the line ended */
  #readHeader(buffer: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end) {
      const byte = buffer[at++] as number;
      if (this.#sawCr) {
        if (byte !== LF || (this.#digits === 0 && !this.#streamed)) return -1;
        this.#sawCr = false;
        this.#state = AT_TYPE;
        return at;
      }
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9 && !this.#streamed) {
        if (++this.#digits > MAX_NUMBER_DIGITS) return -1;
        this.#number = this.#number * 10 + digit;
      } else if (byte === CR) this.#sawCr = true;
      else if (byte === MINUS && this.#digits === 0 && !this.#negative && !this.#streamed) this.#negative = true;
      else if (byte === QUESTION && this.#digits === 0 && !this.#negative && !this.#streamed) this.#streamed = true;
      else return -1;
    }
    return at;
  }

  /** Acts on the header that was read. @returns 1 when the reply is complete, 0 when it goes on, -1 when malformed */
  #applyHeader(): number {
    if (this.#negative) {
      // `$-1` and `*-1` are RESP2's nil; no other length is negative.
      if (this.#number !== 1 || this.#meaning > COUNTS_ELEMENTS || this.#streamed) return -1;
      return this.#endElement() ? 1 : 0;
    }
    const number = this.#number;
    switch (this.#meaning) {
      case COUNTS_BYTES:
        if (this.#streamed) this.#inStreamedBulk = true;
        else this.#expectPayload(number + 2);
        return 0;
      case COUNTS_CHUNK:
        if (this.#streamed) return -1;
        if (number > 0) {
          this.#expectPayload(number + 2);
          return 0;
        }
        this.#inStreamedBulk = false;
        return this.#endElement() ? 1 : 0;
      case COUNTS_ATTRIBUTES:
        if (this.#streamed) return -1;
        return this.#beginAttributes(number);
      case COUNTS_PAIRS:
        return this.#beginAggregate(this.#streamed ? STREAMED : number * 2);
      default:
        return this.#beginAggregate(this.#streamed ? STREAMED : number);
    }
  }

  #expectPayload(bytes: number): void {
    this.#state = IN_PAYLOAD;
    this.#remaining = bytes;
  }

  #beginAggregate(elements: number): number {
    if (elements === 0) return this.#endElement() ? 1 : 0;
    if (this.#stack.length >= MAX_DEPTH) return -1;
    this.#stack.push(elements);
    return 0;
  }

  /** Attributes are followed by the element that they describe: together they are one. */
  #beginAttributes(pairs: number): number {
    if (this.#stack.length >= MAX_DEPTH) return -1;
    this.#stack.push(pairs * 2 + 1);
    if (this.#stack.length === 1) {
      this.#attributed = pairs * 2;
      this.#atStart = pairs === 0;
    }
    return 0;
  }

  /** Of a reply that began with attributes: elements until the type byte that counts; otherwise 0. */
  #attributed = 0;

  /** An element ended. @returns whether the reply did */
  #endElement(): boolean {
    const stack = this.#stack;
    if (this.#attributed > 0 && stack.length === 1 && --this.#attributed === 0) this.#atStart = true;
    while (stack.length > 0) {
      const top = stack.length - 1;
      const left = stack[top] as number;
      if (left === STREAMED) return false;
      if (left > 1) {
        stack[top] = left - 1;
        return false;
      }
      stack.pop();
    }
    return true;
  }

  /** The end mark of a streamed aggregate: the aggregate takes the mark's place as the element that ends. */
  #endStreamed(): boolean {
    const top = this.#stack.length - 1;
    if (this.#stack[top] !== STREAMED) return false;
    this.#stack.pop();
    return true;
  }

  #finish(at: number): number {
    this.complete = true;
    this.#state = AT_TYPE;
    this.#atStart = true;
    this.#attributed = 0;
    return at;
  }

  #malformed(): number {
    this.reset();
    this.#attributed = 0;
    return -1;
  }
}

/** The end of the bulk whose length begins at `from`, when all of it is here; otherwise 0. */
function wholeBulkEnd(buffer: Uint8Array, from: number, end: number): number {
  let at = from;
  let length = 0;
  for (; at < end; at++) {
    const digit = (buffer[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  if (at === from) {
    // Nil, `$-1\r\n`
    return at + 3 < end && buffer[at] === MINUS && buffer[at + 1] === 0x31 && buffer[at + 2] === CR ? at + 4 : 0;
  }
  if (at + 1 >= end || at - from > MAX_NUMBER_DIGITS || buffer[at] !== CR) return 0;
  const after = at + 2 + length + 2;
  return after <= end ? after : 0;
}

/** The number of an integer reply `:123\r\n` that begins at `start`; NaN when it is none. */
export function parseIntegerLine(buffer: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  const negative = buffer[at] === MINUS;
  if (negative) at++;
  let value = 0;
  let digits = 0;
  for (; at < end; at++) {
    const digit = (buffer[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    digits++;
  }
  if (digits === 0) return Number.NaN;
  return negative ? -value : value;
}
