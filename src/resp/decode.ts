/** Decodes whole replies into values: for what is off the hot path, and for tests. */
import { CR, DOLLAR, MINUS, STAR, ZERO } from './bytes.js';
import { type Header, parseHeader } from './inspect.js';
import { ReplyFramer } from './reply-framer.js';

const COLON = 0x3a;
const LETTER_O = 0x4f;
const LETTER_K = 0x4b;
/** Numbers of so many digits are exact. */
const SMALL_DIGITS = 15;

/** An error reply, or an error within one. */
export class ReplyError {
  /** With its code, such as `ERR syntax error`. */
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/**
 * Bulks are bytes; simple and verbatim strings are strings (a verbatim string without its format); integers
 * are numbers as far as these are exact, otherwise bigint, as big numbers always are; pushes are arrays.
 */
export type ReplyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | ReplyError
  | ReplyValue[]
  | Set<ReplyValue>
  | Map<ReplyValue, ReplyValue>;

export interface Decoded {
  readonly value: ReplyValue;
  /** The offset behind the reply. */
  readonly next: number;
}

/**
 * Decodes the reply that begins at `start`. Attributes are left out.
 * @returns null when the reply is not all there
 * @throws RangeError when the bytes are not a reply
 */
export function decodeReply(buffer: Buffer, start = 0): Decoded | null {
  const framer = new ReplyFramer();
  const end = framer.advance(buffer, start, buffer.length);
  if (end < 0) throw new RangeError(`not a reply of the Redis protocol at offset ${start}`);
  if (!framer.complete) return null;
  return { value: new Decoder(buffer, start).element(), next: end };
}

/** Decodes a whole reply, of which a `ReplyFramer` has found where it ends. */
export function decodeFramed(reply: Buffer): ReplyValue {
  return new Decoder(reply, 0).element();
}

/** The end of a streamed aggregate. */
const END = Symbol('end');

/** Reads elements whose boundaries are known to be right. */
class Decoder {
  readonly #buffer: Buffer;
  readonly #header: Header = { value: 0, next: 0 };
  #at: number;

  constructor(buffer: Buffer, start: number) {
    this.#buffer = buffer;
    this.#at = start;
  }

  element(): ReplyValue {
    const value = this.#next();
    if (value === END) throw new RangeError('an end mark where an element belongs');
    return value;
  }

  #next(): ReplyValue | typeof END {
    const byte = this.#buffer[this.#at] as number;
    // Of keys that move, these come by the ten thousands.
    if (byte === DOLLAR) return this.#bulk();
    if (byte === COLON) return this.#integer();
    if (byte === STAR) return this.#elements(1);
    switch (String.fromCharCode(byte)) {
      case '+':
        return this.#line();
      case '-':
        return new ReplyError(this.#line());
      case '(':
        return parseBigInt(this.#line());
      case ',':
        return parseDouble(this.#line());
      case '#':
        return this.#line() === 't';
      case '_':
        this.#line();
        return null;
      case '.':
        this.#line();
        return END;
      case '!':
        return new ReplyError(this.#payload().toString());
      case '=':
        return this.#payload().toString('utf8', 4);
      case '%':
        return this.#map();
      case '|':
        this.#map();
        return this.#next();
      case '~':
        return new Set(this.#elements(1) ?? []);
      default:
        return this.#elements(1);
    }
  }

  #line(): string {
    const buffer = this.#buffer;
    const start = this.#at;
    // Nearly every status is this one, and of it no text is made.
    if (buffer[start + 3] === CR && buffer[start + 1] === LETTER_O && buffer[start + 2] === LETTER_K) {
      this.#at = start + 5;
      return 'OK';
    }
    const end = buffer.indexOf(CR, start);
    this.#at = end + 2;
    return buffer.toString('utf8', start + 1, end);
  }

  /** Small ones, which nearly all are, are read without making text of them. */
  #integer(): number | bigint {
    const buffer = this.#buffer;
    const isNegative = buffer[this.#at + 1] === MINUS;
    const first = this.#at + (isNegative ? 2 : 1);
    let at = first;
    let value = 0;
    for (; at < first + SMALL_DIGITS; at++) {
      const digit = (buffer[at] as number) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (at === first || buffer[at] !== CR) return exactInteger(this.#line());
    this.#at = at + 2;
    return isNegative && value > 0 ? -value : value;
  }

  /** Reads a header line. @returns its number; NaN for the `?` of a streamed element */
  #number(): number {
    parseHeader(this.#buffer, this.#at, this.#buffer.length, this.#header);
    this.#at = this.#header.next;
    return this.#header.value;
  }

  #bulk(): Buffer | null {
    const length = this.#number();
    if (length < 0) return null;
    if (!Number.isNaN(length)) return this.#bytes(length);
    const chunks: Buffer[] = [];
    for (let size = this.#number(); size > 0; size = this.#number()) chunks.push(this.#bytes(size));
    return Buffer.concat(chunks);
  }

  #payload(): Buffer {
    return this.#bytes(this.#number());
  }

  #bytes(length: number): Buffer {
    const start = this.#at;
    this.#at = start + length + 2;
    return this.#buffer.subarray(start, start + length);
  }

  /** @param perItem elements for each one that the header counts. @returns null for nil */
  #elements(perItem: number): ReplyValue[] | null {
    const count = this.#number();
    if (count < 0) return null;
    const values: ReplyValue[] = [];
    if (Number.isNaN(count)) {
      for (let value = this.#next(); value !== END; value = this.#next()) values.push(value);
    } else {
      for (let i = 0; i < count * perItem; i++) values.push(this.element());
    }
    return values;
  }

  #map(): Map<ReplyValue, ReplyValue> {
    const values = this.#elements(2) ?? [];
    const map = new Map<ReplyValue, ReplyValue>();
    for (let i = 0; i < values.length; i += 2) map.set(values[i] ?? null, values[i + 1] ?? null);
    return map;
  }
}

function exactInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : parseBigInt(text);
}

function parseBigInt(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new RangeError(`not an integer: ${text}`);
  return BigInt(text.replace(/^\+/, ''));
}

function parseDouble(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text);
}
