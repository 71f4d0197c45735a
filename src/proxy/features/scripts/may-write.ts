/** Which commands a pause of writes holds up, as Redis decides it: those that write, or whose effect replicas are told. */
import type { Command } from '../../../commands/command.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { digestOf } from './digest.js';
import type { ScriptStore } from './script-store.js';

/** A script declares what it is in its first line, such as `#!lua flags=no-writes,allow-stale`. */
const DECLARATION = /^#!lua(?:[^\S\n][^\n]*)?[^\S\n]flags=([^\s]*)/;
const LONGEST_DECLARATION = 1024;

/** @param isReadOnlyFunction whether the function with this name has the flag no-writes */
export function mayWrite(
  command: Command,
  framer: RequestFramer,
  store: ScriptStore,
  isReadOnlyFunction: (name: string) => boolean,
): boolean {
  // So can no EVAL_RO and its like, whatever the script says.
  if (command.readOnly && !command.replicated) return false;
  switch (command.special) {
    case 'script':
      return !declaresNoWrites(bodyAt(framer));
    case 'digest': {
      const digest = digestOf(framer.source as Buffer, args.start[1] as number, args.end[1] as number);
      return !declaresNoWrites(store.get(digest));
    }
    case 'code':
      return !isReadOnlyFunction(functionNameOf(framer));
    default:
      return command.write || command.replicated;
  }
}

/** The function that FCALL calls. */
export function functionNameOf(framer: RequestFramer): string {
  return (framer.source as Buffer).toString('latin1', args.start[1] as number, args.end[1] as number);
}

function bodyAt(framer: RequestFramer): Buffer {
  return (framer.source as Buffer).subarray(args.start[1] as number, args.end[1] as number);
}

/** A script that nobody knows may do anything. */
export function declaresNoWrites(body: Buffer | undefined): boolean {
  if (body === undefined) return false;
  const flags = DECLARATION.exec(body.toString('latin1', 0, LONGEST_DECLARATION))?.[1] ?? '';
  return flags.split(',').includes('no-writes');
}
