/**
 * NOLOOP: a client is not told of its own writes. A node says that a key has changed, and not who changed it, so only
 * those writes count after which the client knows the whole value, whatever others did to it shortly before. Of its
 * other writes it is told, which costs a read and is never wrong.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';

/** They make a key's whole value known, and change it for certain unless they fail. */
const CERTAIN: ReadonlySet<string> = new Set([
  ...['setex', 'psetex', 'mset', 'getset', 'incr', 'incrby', 'decr', 'decrby', 'incrbyfloat'],
]);
/** They make a key's whole value known, and may change nothing. */
const POSSIBLE: ReadonlySet<string> = new Set(['del', 'unlink', 'getdel']);
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
  const { name } = command;
  const writes =
    CERTAIN.has(name) || (!certainly && POSSIBLE.has(name)) || (name === 'set' && isPlainSet(source, framer.argc));
  if (!writes) return [];
  const count = findKeys(command, args, framer.argc, source);
  const keys: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = keyPositions.at[i] as number;
    keys.push(source.toString('latin1', args.start[at], args.end[at]));
  }
  return keys;
}

function isPlainSet(source: Buffer, argc: number): boolean {
  if (argc === PLAIN_SET_ARGS) return true;
  return argc === PX_ARGS && TTL_OPTION.test(source.toString('latin1', args.start[3], args.end[3]));
}
