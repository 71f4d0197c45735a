/**
 * NOLOOP: a client is not told of its own writes. A node says that a key has changed, and not who changed it, so only
 * those writes count after which the client knows the whole value, whatever others did to it shortly before. Of its
 * other writes it is told, which costs a read and is never wrong.
 */
import type { OwnWrite } from '../../../commands/columns.js';
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';

const PLAIN_SET_ARGS = 3;
/** Options of SET under which it always writes. */
const PX_ARGS = 5;
const TTL_OPTION = /^(?:ex|px|exat|pxat)$/i;

/**
 * The keys that the command at hand writes as a whole, with one character for each byte.
 * @param certainly only those that it changes for certain
 */
export function keysWritten(command: Command, framer: RequestFramer, certainly: boolean): string[] {
  const source = framer.source as Buffer;
  if (!writesWhole(command.ownWrite, source, framer.argc, certainly)) return [];
  const count = findKeys(command, args, framer.argc, source);
  const keys: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = keyPositions.at[i] as number;
    keys.push(source.toString('latin1', args.start[at], args.end[at]));
  }
  return keys;
}

function writesWhole(write: OwnWrite, source: Buffer, argc: number, certainly: boolean): boolean {
  switch (write) {
    case 'none':
      return false;
    case 'always':
      return true;
    case 'perhaps':
      return !certainly;
    case 'set':
      return isPlainSet(source, argc);
  }
}

function isPlainSet(source: Buffer, argc: number): boolean {
  if (argc === PLAIN_SET_ARGS) return true;
  return argc === PX_ARGS && TTL_OPTION.test(source.toString('latin1', args.start[3], args.end[3]));
}
