import type { Command } from '../../commands/command.js';
import { error as encodeError } from '../../resp/encode.js';

/** @returns the error for a command that is not allowed, with the reason */
export function refusalOf(command: Command): Buffer {
  const name = command.name.replace('|', ' ').toUpperCase();
  const why = command.reason === '' ? '' : `: ${command.reason}`;
  return encodeError(`ERR ${name} is not allowed through the proxy${why}`);
}
