/** What XREAD and XREADGROUP that wait say to the node of one of their streams, and who of them are answered alike. */
import type { Command } from '../../../../commands/command.js';
import type { Protocol } from '../../../../resp/encode.js';
import { groupPosition, timeoutPosition } from '../blocking-frame.js';

/**
 * A name for those who wait for the same stream alike. Readers of a group: what one of them does not find nobody does, and
 * when the group is gone all are told. Other readers: from the same entry on, with the same options; so what one of them is
 * answered all are.
 * @param index of the stream
 */
export function sortOfStream(
  command: Command,
  words: readonly Buffer[],
  keys: readonly number[],
  index: number,
  protocol: Protocol,
): string {
  if (command.waits?.takes === 'delivers') return `group ${words[groupPosition(words)]?.toString('latin1')}`;
  const first = keys[0] as number;
  const timeoutAt = timeoutPosition(command, words);
  const options = words.slice(1, first).filter((_, i) => i + 1 !== timeoutAt && i + 2 !== timeoutAt);
  const id = words[first + keys.length + index] as Buffer;
  return `read ${protocol} ${[...options, id].map((word) => word.toString('latin1').toLowerCase()).join(' ')}`;
}
