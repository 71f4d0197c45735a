import type { Administration } from '../../commands/columns.js';
import type { Command } from '../../commands/command.js';
import { error as encodeError } from '../../resp/encode.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import { refusalOfSettings } from '../features/server/config-command.js';
import { refusalOfDebug } from '../features/server/debug-command.js';

/** @returns the error for a command that is not allowed, with the reason */
export function refusalOf(command: Command): Buffer {
  const name = command.name.replace('|', ' ').toUpperCase();
  const why = command.reason === '' ? '' : `: ${command.reason}`;
  return encodeError(`ERR ${name} is not allowed through the proxy${why}`);
}

/** @returns the error for a command of administration that must not run although such commands are allowed; null: it may */
export function refusalOfAdministration(command: Command, framer: RequestFramer): Buffer | null {
  return command.administration === null ? null : REFUSALS[command.administration](framer);
}

const REFUSALS = {
  settings: refusalOfSettings,
  debug: refusalOfDebug,
} as const satisfies Record<Administration, (framer: RequestFramer) => Buffer | null>;
