/**
 * Finds where replies end, in RESP2 and RESP3, without keeping any of their bytes: the state between two
 * chunks is a few numbers and, for nested replies, a stack of counts. Specification: the RESP pages of the
 * Redis documentation and RESP3's (github.com/redis/redis-specifications, protocol/RESP3.md).
 *
 * It looks for boundaries, not for meaning: what stands in a line (the digits of an integer, t or f) is not
 * checked, nor the two bytes behind a payload, which Redis does not look at in requests either.
 */
import { CR, DOLLAR, LF, MINUS, ZERO } from './bytes.js';

export { parseIntegerLine } from './inspect.js';

const QUESTION = 0x3f;
const SEMICOLON = 0x3b;
const DOT = 0x2e;
const PIPE = 0x7c;
const PERCENT = 0x25;

/** Far beyond what a script can build (some 8,000 levels), and at most half a megabyte of counts. */
const MAX_DEPTH = 65_536;
/** Lengths and counts with more digits are malformed: twice their value is still exact. */
const MAX_NUMBER_DIGITS = 15;

/** What may follow a type byte, as flags. */
const LINE = 1;
const HEADER = 2;
/** The number may be `?`: the length is not known yet. */
const STREAMABLE = 4;
/** The number may be -1: nil, as RESP2 has it. */
const NULLABLE = 8;
const PAYLOAD = 16;

const TYPES = new Uint8Array(256);
for (const type of '+-:_#,(') TYPES[type.charCodeAt(0)] = LINE;
for (const type of '~%') TYPES[type.charCodeAt(0)] = HEADER | STREAMABLE;
for (const type of '>|.') TYPES[type.charCodeAt(0)] = HEADER;
for (const type of '!=') TYPES[type.charCodeAt(0)] = HEADER | PAYLOAD;
TYPES[0x2a] = HEADER | STREAMABLE | NULLABLE;
TYPES[DOLLAR] = HEADER | STREAMABLE | NULLABLE | PAYLOAD;
TYPES[SEMICOLON] = HEADER | PAYLOAD;

const AT_TYPE = 0;
/** In a line whose text does not matter. */
const IN_LINE = 1;
/** In a line that holds a length or a count. */
const IN_HEADER = 2;
/** In a payload of known length, CRLF included. */
const IN_PAYLOAD = 3;

/** What acting on a header comes to. */
const MALFORMED = 0;
const GOES_ON = 1;
/** An element without content: nil, an empty aggregate, an end mark. */
const ENDED = 2;
type HeaderOutcome = typeof MALFORMED | typeof GOES_ON | typeof ENDED;

/** On the stack: an aggregate whose elements come before an end mark. Others: twice the elements still to come … */
const STREAMED = -1;
/** … plus one when they are an attribute, which is no element itself but belongs to the one behind it. */
const ATTRIBUTE = 1;

export class ReplyFramer {
  /** Whether the reply ended at the offset that `advance` returned. */
  complete = false;
  /** The first byte of the reply at hand, or of the last one; `|` only until the type behind the attribute is here. */
  type = 0;

  /** A reply has begun and not ended. */
  #begun = false;
  #state: typeof AT_TYPE | typeof IN_LINE | typeof IN_HEADER | typeof IN_PAYLOAD = AT_TYPE;
  /** Bytes of the payload still to come. */
  #remaining = 0;
  /** Elements still to come, for each open aggregate. */
  readonly #stack: number[] = [];
  /** The header at hand. */
  #headerType = 0;
  #number = 0;
  #digits = 0;
  #negative = false;
  #streamed = false;
  #sawCr = false;
  /** In the chunks of a streamed bulk. */
  #inStreamedBulk = false;

  /** Known bytes still to come of the bulk at hand, its CRLF included; 0 when none is. */
  get bulkRemaining(): number {
    return this.#state === IN_PAYLOAD ? this.#remaining : 0;
  }

  /** Forgets the reply at hand. */
  reset(): void {
    this.complete = false;
    this.#begun = false;
    this.#state = AT_TYPE;
    this.#stack.length = 0;
    this.#inStreamedBulk = false;
  }

  /**
   * Advances over one reply in `buffer[start, end)`. After a complete reply the next call begins a new one.
   * @returns the offset behind the bytes that belong to this reply (`end` when it is not complete), or -1
   * when they are not a reply
   */
  advance(buffer: Uint8Array, start: number, end: number): number {
    if (!this.#begun && start < end) {
      const at = simpleElementEnd(buffer, start, end);
      if (at > 0) {
        this.type = buffer[start] as number;
        this.complete = true;
        return at;
      }
      this.#begun = true;
    }
    this.complete = false;
    return this.#machine(buffer, start, end);
  }

  #machine(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case AT_TYPE: {
          const type = buffer[at] as number;
          if (!this.#inStreamedBulk) {
            if (this.#stack.length === 0) this.type = type;
            const next = simpleElementEnd(buffer, at, end);
            if (next > 0) {
              at = next;
              if (this.#endElement()) return this.#finish(at);
              break;
            }
          }
          if (!this.#beginType(type)) return this.#malformed();
          at++;
          break;
        }
        case IN_LINE: {
          const next = this.#skipLine(buffer, at, end);
          if (next === 0) return end;
          if (next < 0) return this.#malformed();
          this.#state = AT_TYPE;
          at = next;
          if (this.#endElement()) return this.#finish(at);
          break;
        }
        case IN_HEADER: {
          const next = this.#readHeader(buffer, at, end);
          if (next === 0) return end;
          if (next < 0) return this.#malformed();
          this.#state = AT_TYPE;
          at = next;
          const outcome = this.#applyHeader();
          if (outcome === MALFORMED) return this.#malformed();
          if (outcome === ENDED && this.#endElement()) return this.#finish(at);
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

  /** @returns false when no element begins with this byte here */
  #beginType(type: number): boolean {
    const flags = TYPES[type] as number;
    if (flags === 0 || this.#inStreamedBulk !== (type === SEMICOLON)) return false;
    if (type === DOT && this.#stack[this.#stack.length - 1] !== STREAMED) return false;
    this.#state = flags === LINE ? IN_LINE : IN_HEADER;
    this.#headerType = type;
    this.#number = 0;
    this.#digits = 0;
    this.#negative = false;
    this.#streamed = false;
    this.#sawCr = false;
    return true;
  }

  /** Skips to the end of a line. @returns where to go on, 0 when the line goes on, -1 when it is malformed */
  #skipLine(buffer: Uint8Array, from: number, end: number): number {
    let at = from;
    if (!this.#sawCr) {
      while (at < end && buffer[at] !== CR) at++;
      if (at === end) return 0;
      this.#sawCr = true;
      at++;
      if (at === end) return 0;
    }
    return buffer[at] === LF ? at + 1 : -1;
  }

  /** Reads a header's number. @returns where to go on, 0 when the line goes on, -1 when it is malformed */
  #readHeader(buffer: Uint8Array, from: number, end: number): number {
    const flags = TYPES[this.#headerType] as number;
    for (let at = from; at < end; at++) {
      const byte = buffer[at] as number;
      if (this.#sawCr) return byte === LF ? at + 1 : -1;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        if (this.#streamed || ++this.#digits > MAX_NUMBER_DIGITS) return -1;
        this.#number = this.#number * 10 + digit;
      } else if (byte === CR) {
        this.#sawCr = true;
      } else {
        if (this.#digits > 0 || this.#negative || this.#streamed) return -1;
        if (byte === MINUS && (flags & NULLABLE) !== 0) this.#negative = true;
        else if (byte === QUESTION && (flags & STREAMABLE) !== 0) this.#streamed = true;
        else return -1;
      }
    }
    return 0;
  }

  #applyHeader(): HeaderOutcome {
    const type = this.#headerType;
    const number = this.#number;
    if (type === DOT) {
      if (this.#digits > 0) return MALFORMED;
      this.#stack.pop();
      return ENDED;
    }
    if (this.#streamed) {
      if (type !== DOLLAR) return this.#open(STREAMED);
      this.#inStreamedBulk = true;
      return GOES_ON;
    }
    if (this.#digits === 0) return MALFORMED;
    if (this.#negative) return number === 1 && this.#digits === 1 ? ENDED : MALFORMED;
    if (type === SEMICOLON && number === 0) {
      this.#inStreamedBulk = false;
      return ENDED;
    }
    if (((TYPES[type] as number) & PAYLOAD) !== 0) {
      this.#state = IN_PAYLOAD;
      this.#remaining = number + 2;
      return GOES_ON;
    }
    if (type === PIPE) return number === 0 ? GOES_ON : this.#open(number * 4 + ATTRIBUTE);
    if (number === 0) return ENDED;
    return this.#open(type === PERCENT ? number * 4 : number * 2);
  }

  #open(entry: number): HeaderOutcome {
    if (this.#stack.length >= MAX_DEPTH) return MALFORMED;
    this.#stack.push(entry);
    return GOES_ON;
  }

  /** An element ended, and so did the aggregates whose last one it was. @returns whether the reply did */
  #endElement(): boolean {
    const stack = this.#stack;
    for (let top = stack.length - 1; top >= 0; top--) {
      const left = stack[top] as number;
      if (left === STREAMED) return false;
      if (left >= 4) {
        stack[top] = left - 2;
        return false;
      }
      stack.pop();
      // The element that the attribute belongs to is still to come.
      if (left === 2 + ATTRIBUTE) return false;
    }
    return true;
  }

  #finish(at: number): number {
    this.complete = true;
    this.#begun = false;
    return at;
  }

  #malformed(): number {
    this.reset();
    return -1;
  }
}

/** The end of the line or bulk that begins at `start`, when it is one and all of it is here; otherwise 0. */
function simpleElementEnd(buffer: Uint8Array, start: number, end: number): number {
  const type = buffer[start] as number;
  let at = start + 1;
  if (type === DOLLAR) {
    let length = 0;
    for (; at < end; at++) {
      const digit = (buffer[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
    }
    if (at + 1 >= end) return 0;
    const digits = at - start - 1;
    if (digits === 0) {
      const nil = buffer[at] === MINUS && buffer[at + 1] === 0x31 && at + 3 < end;
      return nil && buffer[at + 2] === CR && buffer[at + 3] === LF ? at + 4 : 0;
    }
    if (buffer[at] !== CR || buffer[at + 1] !== LF || digits > MAX_NUMBER_DIGITS) return 0;
    const after = at + length + 4;
    return after <= end ? after : 0;
  }
  if (TYPES[type] !== LINE) return 0;
  while (at < end && buffer[at] !== CR) at++;
  return at + 1 < end && buffer[at + 1] === LF ? at + 2 : 0;
}
