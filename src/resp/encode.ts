/** The proxy's own replies and requests as bytes. `protocol` is the version of RESP that the client speaks. */
import { CR, copyBytes, DOLLAR, LF, MINUS, STAR, ZERO } from './bytes.js';

const COLON = 0x3a;
const CRLF = Buffer.from('\r\n');

export type Protocol = 2 | 3;

/** Replies that never change; they are shared, so nobody writes to them. */
export const OK = Buffer.from('+OK\r\n');
export const PONG = Buffer.from('+PONG\r\n');
export const EMPTY_ARRAY = Buffer.from('*0\r\n');

/** @param text without line breaks */

export function simpleString(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`);
}

/**
 * @param text the error with its code, such as `ERR syntax error`; as in Redis, line breaks at the end are
 * dropped and others become spaces
 * @param encoding latin1 for a text that has one character for each byte, such as `RequestFramer.error`
 */
export function error(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): Buffer {
  return Buffer.from(`-${text.replace(/[\r\n]+$/, '').replace(/[\r\n]/g, ' ')}\r\n`, encoding);
}

/** @param value a safe integer */
export function integer(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`);
}

export function bulk(value: string | Uint8Array): Buffer {
  const payload = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.from(`$${payload.length}\r\n`), payload, CRLF]);
}

export function nullBulk(protocol: Protocol): Buffer {
  return Buffer.from(protocol === 3 ? '_\r\n' : '$-1\r\n');
}

export function nullArray(protocol: Protocol): Buffer {
  return Buffer.from(protocol === 3 ? '_\r\n' : '*-1\r\n');
}

/** @param parts encoded elements */
export function array(parts: readonly Uint8Array[]): Buffer {
  return aggregate('*', parts);
}

function aggregate(type: string, parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(`${type}${parts.length}\r\n`), ...parts]);
}

/** A map, which RESP2 has as a flat array. @param pairs encoded keys and values */
export function map(pairs: readonly (readonly [Uint8Array, Uint8Array])[], protocol: Protocol): Buffer {
  const header = protocol === 3 ? `%${pairs.length}\r\n` : `*${pairs.length * 2}\r\n`;
  return Buffer.concat([Buffer.from(header), ...pairs.flat()]);
}

/** A set, which RESP2 has as an array. @param members encoded members */
export function set(members: readonly Uint8Array[], protocol: Protocol): Buffer {
  return aggregate(protocol === 3 ? '~' : '*', members);
}

/** An out-of-band message, which RESP2 has as an array. @param parts encoded elements */
export function push(parts: readonly Uint8Array[], protocol: Protocol): Buffer {
  return aggregate(protocol === 3 ? '>' : '*', parts);
}

/** A floating-point number, which RESP2 has as a bulk. Infinities and NaN are worded as Redis does. */
export function double(value: number, protocol: Protocol): Buffer {
  let text = String(value);
  if (Number.isNaN(value)) text = 'nan';
  else if (!Number.isFinite(value)) text = value > 0 ? 'inf' : '-inf';
  return protocol === 3 ? Buffer.from(`,${text}\r\n`) : bulk(text);
}

/** A truth value, which RESP2 has as the integer 1 or 0. */
export function boolean(value: boolean, protocol: Protocol): Buffer {
  if (protocol === 3) return Buffer.from(value ? '#t\r\n' : '#f\r\n');
  return integer(value ? 1 : 0);
}

/** Text for people: a verbatim string in RESP3, a bulk in RESP2. */
export function verbatim(text: string, protocol: Protocol): Buffer {
  if (protocol === 2) return bulk(text);
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from(`=${payload.length + 4}\r\ntxt:`), payload, CRLF]);
}

/** Words of a request: text, or bytes as they are. */
export type Words = readonly (string | Uint8Array)[];

/** A request frame. */
export function request(words: Words): Buffer {
  const frame = Buffer.allocUnsafe(requestLength(words));
  writeRequest(frame, 0, words);
  return frame;
}

/** Many request frames in one piece: batches of thousands a second go out in one write, and are copied once. */
export function requests(frames: readonly Words[]): Buffer {
  let length = 0;
  for (const words of frames) length += requestLength(words);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const words of frames) at = writeRequest(bytes, at, words);
  return bytes;
}

function requestLength(words: Words): number {
  let length = arrayHeaderLength(words.length);
  for (const word of words) {
    const size = typeof word === 'string' ? Buffer.byteLength(word) : word.length;
    // A bulk's header is as long as an array's, and two bytes stand behind it.
    length += arrayHeaderLength(size) + size + 2;
  }
  return length;
}

/** @returns the offset behind the frame */
function writeRequest(target: Buffer, offset: number, words: Words): number {
  let at = writeArrayHeader(target, offset, words.length);
  for (const word of words) {
    const size = typeof word === 'string' ? Buffer.byteLength(word) : word.length;
    at = writeBulkHeader(target, at, size);
    if (typeof word === 'string') target.write(word, at);
    else copyBytes(target, null, at, word, 0, size);
    at += size;
    target[at] = CR;
    target[at + 1] = LF;
    at += 2;
  }
  return at;
}

/** Decimal digits of a non-negative safe integer. */
export function decimalLength(value: number): number {
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length++;
  return length;
}

function writeDecimal(target: Uint8Array, offset: number, value: number): number {
  const end = offset + decimalLength(value);
  let rest = value;
  for (let at = end - 1; at >= offset; at--) {
    const next = Math.floor(rest / 10);
    // In this order no sum leaves the range of exact integers.
    target[at] = ZERO + (rest - next * 10);
    rest = next;
  }
  return end;
}

function writeHeader(target: Uint8Array, offset: number, type: number, value: number): number {
  target[offset] = type;
  const end = writeDecimal(target, offset + 1, value);
  target[end] = CR;
  target[end + 1] = LF;
  return end + 2;
}

/** How long `*count\r\n` is. */
export function arrayHeaderLength(count: number): number {
  return decimalLength(count) + 3;
}

/** Writes `*count\r\n`. @returns the offset behind it */
export function writeArrayHeader(target: Uint8Array, offset: number, count: number): number {
  return writeHeader(target, offset, STAR, count);
}

/** Writes `$length\r\n`. @returns the offset behind it */
export function writeBulkHeader(target: Uint8Array, offset: number, length: number): number {
  return writeHeader(target, offset, DOLLAR, length);
}

/** Writes `:value\r\n` of a safe integer. @returns the offset behind it */
export function writeInteger(target: Uint8Array, offset: number, value: number): number {
  if (value >= 0) return writeHeader(target, offset, COLON, value);
  target[offset] = COLON;
  return writeHeader(target, offset + 1, MINUS, -value);
}
