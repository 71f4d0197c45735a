/** Replies that are the same each time, as Redis words them. */
import { error, integer } from '../../../resp/encode.js';

export const WRONG_TYPE = error('WRONGTYPE Operation against a key holding the wrong kind of value');
export const NO_INTEGER = error('ERR value is not an integer or out of range');
export const SYNTAX = error('ERR syntax error');
export const OUT_OF_MEMORY = error("OOM command not allowed when used memory > 'maxmemory'.");
export const OVERFLOW = error('ERR increment or decrement would overflow');
export const DECREMENT_OVERFLOW = error('ERR decrement would overflow');
export const ZERO = integer(0);
export const ONE = integer(1);
export const NO_KEY = integer(-2);
export const NO_EXPIRY = integer(-1);

export function invalidExpire(command: string): Buffer {
  return error(`ERR invalid expire time in '${command}' command`);
}

export function wrongArguments(command: string): Buffer {
  return error(`ERR wrong number of arguments for '${command}' command`);
}
