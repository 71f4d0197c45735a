/** What is said of commands that cannot be had on replicated keys, and why. */

import type { OnReplicated } from '../../../commands/columns.js';
import type { Command } from '../../../commands/command.js';
import { error } from '../../../resp/encode.js';

/** Each value goes to everybody, in one piece. */
const MOST_VALUE_BYTES = 1_048_576;

const WHY: Readonly<Record<Extract<OnReplicated, 'no merge' | 'other value'>, string>> = {
  'no merge': 'what it does depends on the value of the moment, and other proxies may have another one',
  'other value': 'no node has it, and proxies carry out simple commands of strings, counters and sets only',
};

export const NO_CONDITIONS = error(
  'ERR SET with NX or XX is not possible on a key of a replicated group: other proxies may have another value at the moment; keep the key in a group that is not replicated',
);
const TOO_LONG = error(
  `ERR a value of a replicated group may have ${MOST_VALUE_BYTES} bytes, since every proxy has all of it; keep the key in a group that is not replicated`,
);
const APART = (name: string): Buffer =>
  error(
    `ERR ${name} with keys of a replicated group and others at once is not possible: the others are on nodes, and these are not; send one command for each`,
  );

/** @returns the refusal of a value of so many bytes; or null */
export function refusalOfValue(bytes: number): Buffer | null {
  return bytes > MOST_VALUE_BYTES ? TOO_LONG : null;
}

/** Some of its keys are of a replicated group, and others are not. */
export function refusalApart(command: Command): Buffer {
  return APART(nameOf(command));
}

/** @param group whose key it is @returns the refusal of a command that is none for replicated keys */
export function refusalOnReplicated(command: Command, group: string): Buffer {
  const { onReplicated } = command;
  const why = onReplicated === 'no merge' ? WHY['no merge'] : WHY['other value'];
  return error(
    `ERR ${nameOf(command)} is not possible on a key of the replicated group '${group}': ${why}; keep the key in a group that is not replicated`,
  );
}

/** Between MULTI and EXEC. */
export function refusalInTransaction(group: string): Buffer {
  return error(
    `ERR keys of the replicated group '${group}' can be in no transaction and cannot be watched: no node has them; send the command by itself`,
  );
}

function nameOf({ name }: Command): string {
  return name.replace('|', ' ').toUpperCase();
}
