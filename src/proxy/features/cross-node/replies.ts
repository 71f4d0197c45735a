/** What nodes answer to a step, and what Redis would answer to the whole command. */
import { error as encodeError, integer, nullBulk } from '../../../resp/encode.js';
import { headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';

const COLON = 0x3a;
const UNDERSCORE = 0x5f;
const MINUS = 0x2d;

/** Of a value, as RESP2 has it. */
export const NIL = nullBulk(2);
export const ZERO = integer(0);
export const ONE = integer(1);
export const NO_SUCH_KEY = encodeError('ERR no such key');
export const SYNTAX = encodeError('ERR syntax error');

/** Whether there is nothing: nil in either protocol. */
export function isNil(reply: Buffer): boolean {
  return reply[0] === UNDERSCORE || (reply[1] === MINUS && reply[0] !== COLON && reply[0] !== MINUS);
}

/** @returns the number that it is; 0 when it is another reply */
export function numberIn(reply: Buffer): number {
  return reply[0] === COLON ? headerNumber(reply, 0) : 0;
}

/** The elements of an array; of a map its keys and values in turn. @param reply whole */
export function elementsIn(reply: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  let at = lineEnd(reply, 0);
  while (at < reply.length) {
    const end = replyEnd(reply, at, reply.length);
    elements.push(reply.subarray(at, end));
    at = end;
  }
  return elements;
}
