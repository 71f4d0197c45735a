/** `max-value-bytes`: values that are too large for their key's group. */
import type { Command } from '../../../commands/command.js';
import { findKeys, isOfPairs, keyPositions } from '../../../commands/keys.js';
import { error as encodeError } from '../../../resp/encode.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { KeyGroups } from '../../measure/key-groups.js';

/** @returns the error that answers the command at hand, or null when none of its values is too large */
export function refusalOfValues(groups: KeyGroups, command: Command, framer: RequestFramer): Buffer | null {
  const { argc, source } = framer;
  if (!isOfPairs(command)) {
    const at = command.singleKeyAt > 0 ? command.singleKeyAt : firstKey(command, framer);
    if (at <= 0 || at >= argc) return null;
    for (let i = at + 1; i < argc; i++) {
      const refusal = refusalOf(groups, source, at, reached(command, framer, i));
      if (refusal !== null) return refusal;
    }
    return null;
  }
  const count = findKeys(command, args, argc, source);
  for (let k = 0; k < count; k++) {
    const at = keyPositions.at[k] as number;
    const refusal = at + 1 >= argc ? null : refusalOf(groups, source, at, lengthOf(at + 1));
    if (refusal !== null) return refusal;
  }
  return null;
}

/** @returns the error for a value of so many bytes for the key `source[start, end)`, or null when it may have them */
export function refusalOfValue(
  groups: KeyGroups,
  source: Uint8Array,
  start: number,
  end: number,
  bytes: number,
): Buffer | null {
  const limit = groups.policyOf(source, start, end)?.maxValueBytes ?? 0;
  if (limit === 0 || bytes <= limit) return null;
  const group = groups.nameOf(groups.groupOf(source, start, end));
  return encodeError(`ERR a value of ${bytes} bytes is more than max-value-bytes of the group ${group} (${limit})`);
}

function refusalOf(groups: KeyGroups, source: Uint8Array, key: number, bytes: number): Buffer | null {
  return refusalOfValue(groups, source, args.start[key] as number, args.end[key] as number, bytes);
}

function firstKey(command: Command, { argc, source }: RequestFramer): number {
  return findKeys(command, args, argc, source) > 0 ? (keyPositions.at[0] as number) : 0;
}

/** How long argument `i` makes the value. */
function reached(command: Command, { source }: RequestFramer, i: number): number {
  if (command.extends === null) return lengthOf(i);
  // The offset, and behind it what is written there.
  if (i !== 3) return 0;
  const offset = parseStrictInteger(source, args.start[2] as number, args.end[2] as number);
  if (!(offset >= 0)) return 0;
  if (command.extends === 'bits') return Math.floor(offset / 8) + 1;
  // SETRANGE of nothing changes nothing.
  return lengthOf(3) === 0 ? 0 : offset + lengthOf(3);
}

function lengthOf(i: number): number {
  return (args.end[i] as number) - (args.start[i] as number);
}
