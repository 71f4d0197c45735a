/** What a command that waits for one of several keys says to the node of one of them. */
import type { Taking } from '../../../../commands/columns.js';
import type { Command } from '../../../../commands/command.js';
import { RESERVED_PREFIX } from '../../../route/reserved.js';

const ONE = Buffer.from('1');
/** A key that there never is. */
const NO_KEY = Buffer.concat([RESERVED_PREFIX, Buffer.from('none')]);

const PLAIN_TIMEOUT = /^\d{1,9}(\.\d{1,9})?$/;
/** What stands behind the keys, by what the command takes. */
const PLAIN_ENDS: Readonly<Partial<Record<Taking, RegExp>>> = {
  first: /^$/,
  last: /^$/,
  member: /^$/,
  elements: /^(left|right)( count [1-9]\d{0,5})?$/i,
  members: /^(min|max)( count [1-9]\d{0,5})?$/i,
  moves: /^((left|right) (left|right))?$/i,
};

/** @param keys positions among the words @param index of the key that is left @returns the words of the command with that key alone */
export function withOneKey(
  command: Command,
  words: readonly Buffer[],
  keys: readonly number[],
  index: number,
): Buffer[] {
  const { kind } = command.keys;
  const first = keys[0] as number;
  const kept: Buffer[] = [];
  for (const [at, word] of words.entries()) {
    if (command.keys.kind === 'numkeys' && at === command.keys.at) kept.push(ONE);
    // Ids stand behind the streams, in the same order.
    else if (at < first || (at >= first + keys.length && kind !== 'streams')) kept.push(word);
    else if ((at - first) % keys.length === index) kept.push(word);
  }
  return kept;
}

/** @returns the command as it is, of a key that is not there: what is wrong with its other arguments, a node says */
export function withoutKeys(command: Command, words: readonly Buffer[], keys: readonly number[]): Buffer[] {
  if (command.waits?.takes === 'moves') return words.map((word, at) => (keys.includes(at) ? NO_KEY : word));
  const kept = withOneKey(command, words, keys, 0);
  kept[keys[0] as number] = NO_KEY;
  return kept;
}

/**
 * Whether nothing can be wrong with its arguments beside its keys. What is unusual a node is asked: a client that waits
 * behind others may never be heard otherwise.
 * @param timeoutAt the position of the timeout
 */
export function isPlain(
  command: Command,
  words: readonly Buffer[],
  keys: readonly number[],
  timeoutAt: number,
): boolean {
  if (!PLAIN_TIMEOUT.test(textOf(words[timeoutAt]))) return false;
  const behind = words.slice((keys.at(-1) as number) + 1).map(textOf);
  if (timeoutAt > (keys.at(-1) as number)) behind.pop();
  return PLAIN_ENDS[command.waits?.takes ?? 'unknown']?.test(behind.join(' ')) === true;
}

/** @returns a name for those who wait for the same in one order: what one of them does not find the next one does not, either */
export function sortOf(command: Command): string {
  const takes = command.waits?.takes;
  return takes === 'member' || takes === 'members' ? 'sorted set' : 'list';
}

function textOf(word: Buffer | undefined): string {
  return word?.toString('latin1') ?? '';
}
