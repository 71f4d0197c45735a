/** Whether a user may send a command, by the same rules as Redis 7.0 (acl.c: ACLCheckAllUserCommandPerm). */
import { equalsIgnoreCase } from '../../resp/bytes.js';
import { matchesGlob } from '../../resp/glob.js';
import type { Command } from '../command.js';
import { READ } from './access.js';
import { findAccess, found, UNKNOWN, type Words } from './find-access.js';
import type { Selector } from './selector.js';
import type { User } from './user.js';

export const ALLOWED = 0;
/** These are ordered: of several selectors the one that came furthest tells why. */
export const DENIED_COMMAND = 1;
export const DENIED_KEY = 2;
export const DENIED_CHANNEL = 3;
export type Decision = typeof ALLOWED | typeof DENIED_COMMAND | typeof DENIED_KEY | typeof DENIED_CHANNEL;

/** At which argument a key or a channel stands that was denied last, counted from the command's name. */
export const denied = { at: 0 };

/** Keys of the frame at hand: of all selectors the first one that asks finds them. */
const NOT_FOUND_YET = -2;
let keys = NOT_FOUND_YET;

/** @returns whether `user` may send `command` with these arguments; where not, `denied.at` tells which one */
export function decide(user: User, command: Command, words: Words): Decision {
  let reason: Decision = DENIED_COMMAND;
  let at = 0;
  // Redis does not reset it between selectors either.
  denied.at = 0;
  keys = NOT_FOUND_YET;
  for (const selector of user.selectors) {
    const decision = decideBy(selector, command, words);
    if (decision === ALLOWED) return ALLOWED;
    if (decision > reason || (decision === reason && denied.at > at)) {
      reason = decision;
      at = denied.at;
    }
  }
  denied.at = at;
  return reason;
}

/** Whether the user may send it, and read whatever key there is: SORT finds keys by patterns in values. */
export function readsAnyKey(user: User, command: Command, words: Words): boolean {
  keys = NOT_FOUND_YET;
  return user.selectors.some(
    (selector) => decideBy(selector, command, words) === ALLOWED && (selector.allKeys || selector.keys.some(isAnyRead)),
  );
}

function isAnyRead({ text, access }: { readonly text: string; readonly access: number }): boolean {
  return text === '*' && (access & READ) !== 0;
}

function decideBy(selector: Selector, command: Command, words: Words): Decision {
  if (!selector.allCommands && !command.beforeAuth && !selector.allows(command.name)) {
    if (!isAllowedByArgument(selector, command, words)) return DENIED_COMMAND;
  }
  if (!selector.allKeys && command.keySpecs.length > 0) {
    if (keys === NOT_FOUND_YET) keys = findAccess(command, words);
    if (keys === UNKNOWN) {
      denied.at = 0;
      return DENIED_KEY;
    }
    for (let i = 0; i < keys; i++) {
      const at = found.at[i] as number;
      if (reaches(selector, words, at, found.access[i] as number)) continue;
      denied.at = at;
      return DENIED_KEY;
    }
  }
  return selector.allChannels ? ALLOWED : decideChannels(selector, command, words);
}

function isAllowedByArgument(selector: Selector, command: Command, words: Words): boolean {
  if (words.argc < 2) return false;
  const { source, start, end, from } = words;
  return selector
    .firstArgumentsOf(command.name)
    .some((argument) =>
      equalsIgnoreCase(source, start[from + 1] as number, end[from + 1] as number, Buffer.from(argument.toLowerCase())),
    );
}

function reaches(selector: Selector, words: Words, at: number, access: number): boolean {
  const key = argument(words, at);
  return selector.keys.some((pattern) => (pattern.access & access) === access && matches(pattern.bytes, key));
}

function decideChannels(selector: Selector, command: Command, words: Words): Decision {
  const form = CHANNELS.get(command.name);
  if (form === undefined) return ALLOWED;
  const behind = form === 'one' ? Math.min(2, words.argc) : words.argc;
  for (let at = 1; at < behind; at++) {
    if (reachesChannel(selector, argument(words, at), form === 'patterns')) continue;
    denied.at = at;
    return DENIED_CHANNEL;
  }
  return ALLOWED;
}

/** @param isPattern of PSUBSCRIBE: it is allowed when it is one of the user's own */
export function reachesChannel(selector: Selector, channel: Uint8Array, isPattern: boolean): boolean {
  if (selector.allChannels) return true;
  return selector.channels.some(({ bytes }) => (isPattern ? bytes.equals(channel) : matches(bytes, channel)));
}

/** In Redis 7.0 a star needs something to stand for where there is nothing at all. */
function matches(pattern: Uint8Array, text: Uint8Array): boolean {
  return text.length === 0 ? pattern.length === 0 : matchesGlob(pattern, text);
}

function argument({ source, start, end, from }: Words, at: number): Uint8Array {
  return source.subarray(start[from + at], end[from + at]);
}

/** Which arguments are channels: the first one, all, or all and they are patterns. */
const CHANNELS: ReadonlyMap<string, 'one' | 'all' | 'patterns'> = new Map([
  ['publish', 'one'],
  ['spublish', 'one'],
  ['subscribe', 'all'],
  ['ssubscribe', 'all'],
  ['psubscribe', 'patterns'],
]);
