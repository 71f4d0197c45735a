/** The proxy's own replies and requests as bytes. `protocol` is the version of RESP that the client speaks. */
const CRLF = Buffer.from('\r\n');
const ZERO = 0x30;

export type Protocol = 2 | 3;

export function simpleString(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`);
}

/** @param text the error with its code, such as `ERR syntax error`; line breaks become spaces */
export function error(text: string): Buffer {
  return Buffer.from(`-${text.replace(/[\r\n]+/g, ' ')}\r\n`);
}

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
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...parts]);
}

/** A map, which RESP2 has as a flat array. @param pairs encoded keys and values */
export function map(pairs: readonly (readonly [Uint8Array, Uint8Array])[], protocol: Protocol): Buffer {
  const header = protocol === 3 ? `%${pairs.length}\r\n` : `*${pairs.length * 2}\r\n`;
  return Buffer.concat([Buffer.from(header), ...pairs.flat()]);
}

/** Text for people: a verbatim string in RESP3, a bulk in RESP2. */
export function verbatim(text: string, protocol: Protocol): Buffer {
  if (protocol === 2) return bulk(text);
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from(`=${payload.length + 4}\r\ntxt:`), payload, CRLF]);
}

/** A request frame. */
export function request(words: readonly (string | Uint8Array)[]): Buffer {
  return array(words.map(bulk));
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
    target[at] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

function writeHeader(target: Uint8Array, offset: number, type: number, value: number): number {
  target[offset] = type;
  const end = writeDecimal(target, offset + 1, value);
  target[end] = 0x0d;
  target[end + 1] = 0x0a;
  return end + 2;
}

/** Writes `*count\r\n`. @returns the offset behind it */
export function writeArrayHeader(target: Uint8Array, offset: number, count: number): number {
  return writeHeader(target, offset, 0x2a, count);
}

/** Writes `$length\r\n`. @returns the offset behind it */
export function writeBulkHeader(target: Uint8Array, offset: number, length: number): number {
  return writeHeader(target, offset, 0x24, length);
}

/** Writes `:value\r\n`. @returns the offset behind it */
export function writeInteger(target: Uint8Array, offset: number, value: number): number {
  if (value >= 0) return writeHeader(target, offset, 0x3a, value);
  target[offset] = 0x3a;
  return writeHeader(target, offset + 1, 0x2d, -value);
}
