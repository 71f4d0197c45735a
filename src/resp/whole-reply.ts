import { ReplyFramer } from './reply-framer.js';

const framer = new ReplyFramer();

/** @returns the offset behind the reply that begins at `start`, or -1 when it is malformed or not whole */
export function replyEnd(buffer: Uint8Array, start: number, end: number): number {
  const at = framer.advance(buffer, start, end);
  if (at >= 0 && framer.complete) return at;
  framer.reset();
  return -1;
}

/** @returns the offset behind the header line that begins at `start` */
export function lineEnd(buffer: Uint8Array, start: number): number {
  let at = start;
  while (buffer[at] !== 0x0a) at++;
  return at + 1;
}

/** The number in the header line that begins at `start`, such as the 3 of `*3`. */
export function headerNumber(buffer: Uint8Array, start: number): number {
  let at = start + 1;
  const negative = buffer[at] === 0x2d;
  if (negative) at++;
  let value = 0;
  for (let digit = (buffer[at] as number) - 0x30; digit >= 0 && digit <= 9; digit = (buffer[at] as number) - 0x30) {
    value = value * 10 + digit;
    at++;
  }
  return negative ? -value : value;
}

/** The payload of the bulk `buffer[start, end)`, or null when it is nil or something else. */
export function bulkPayload(buffer: Buffer, start: number, end: number): Buffer | null {
  if (buffer[start] !== 0x24 || buffer[start + 1] === 0x2d) return null;
  return buffer.subarray(lineEnd(buffer, start), end - 2);
}
