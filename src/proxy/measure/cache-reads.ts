/** What replies to reads say about the cache: whether it had the key. */
import type { CacheRead } from '../../commands/columns.js';
import type { CommandTable } from '../../commands/table.js';
import { bulkIsNull } from '../../resp/inspect.js';
import { headerNumber, lineEnd, replyEnd } from '../../resp/whole-reply.js';
import type { Counters } from './counters.js';
import { ARRAY_READ, KEY_READ, NO_GROUP, NO_READ } from './marks.js';

export { ARRAY_READ, KEY_READ, NO_READ };

const FLAGS = { none: NO_READ, key: KEY_READ, array: ARRAY_READ } as const satisfies Record<CacheRead, number>;

/** What the commands' replies say, by their ids. */
export function cacheReadFlags(table: CommandTable): Uint8Array {
  const flags = new Uint8Array(table.size + 2);
  for (const row of table.rows()) flags[row.id] = FLAGS[row.cacheRead];
  return flags;
}

/** What is known of a read whose reply is counted. */
export interface CountedRead {
  /** KEY_READ or ARRAY_READ. */
  readonly cacheRead: number;
  /** The group of its key. */
  readonly group: number;
  /** The group of each key of an ARRAY_READ, where groups are configured. */
  readonly keyGroups: Uint8Array | null;
}

/** Counts what `buffer[start, end)`, the whole reply to a read, says. It is not an error. */
export function countCacheRead(
  counters: Counters,
  read: CountedRead,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  if (read.cacheRead === KEY_READ) counters.read(read.group, !bulkIsNull(buffer, start));
  else countElements(counters, read, buffer, start, end);
}

function countElements(counters: Counters, read: CountedRead, buffer: Buffer, start: number, end: number): void {
  const { keyGroups } = read;
  const count = headerNumber(buffer, start);
  let at = lineEnd(buffer, start);
  for (let i = 0; i < count && at >= 0 && at < end; i++) {
    counters.read(keyGroups?.[i] ?? NO_GROUP, !bulkIsNull(buffer, at));
    at = replyEnd(buffer, at, end);
  }
}
