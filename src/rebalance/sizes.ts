/** How large values are, before they are read: what is too large for one DUMP would stop its node. */
import { isForbidden } from '../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import { requests } from '../resp/encode.js';
import type { NodeLink } from './node-link.js';
import { TransferRefused } from './transfer-refused.js';

/**
 * Where MEMORY USAGE is forbidden, an element counts for so many bytes: about what one of 100 bytes takes in memory, with
 * what Redis needs beside it. Whoever has few elements that are large is taken for small then.
 */
const ELEMENT_BYTES = 200;

/** What tells how long a value of each type is. A type of a module has no such command. */
const LENGTHS: Readonly<Record<string, { readonly command: string; readonly bytes: number }>> = {
  string: { command: 'STRLEN', bytes: 1 },
  list: { command: 'LLEN', bytes: ELEMENT_BYTES },
  hash: { command: 'HLEN', bytes: ELEMENT_BYTES },
  set: { command: 'SCARD', bytes: ELEMENT_BYTES },
  zset: { command: 'ZCARD', bytes: ELEMENT_BYTES },
  stream: { command: 'XLEN', bytes: ELEMENT_BYTES },
};

/**
 * @returns for each key about how many bytes of memory it takes; null: it is not there
 * @throws TransferRefused when the node answers with an error, NodeFailure when it does not answer
 */
export async function sizesOf(link: NodeLink, database: number, keys: readonly Buffer[]): Promise<(number | null)[]> {
  const replies = await link.exchange([requests(keys.map((key) => ['MEMORY', 'USAGE', key]))], keys.length, database);
  const refused = replies.find((reply) => reply instanceof ReplyError) ?? null;
  if (refused === null) return replies.map((reply) => (typeof reply === 'number' ? reply : null));
  if (refused instanceof ReplyError && isForbidden(refused.message)) return sizesByLength(link, database, keys);
  throw TransferRefused.by(link, refused, 'MEMORY USAGE');
}

async function sizesByLength(link: NodeLink, database: number, keys: readonly Buffer[]): Promise<(number | null)[]> {
  const types = await link.exchange([requests(keys.map((key) => ['TYPE', key]))], keys.length, database);
  const sizes = types.map((type) => knownSize(link, type));
  const asked = keys.flatMap((key, i) => {
    const length = LENGTHS[String(types[i])];
    return length === undefined ? [] : [{ i, key, ...length }];
  });
  if (asked.length === 0) return sizes;
  const frames = asked.map(({ command, key }) => [command, key]);
  const lengths = await link.exchange([requests(frames)], frames.length, database);
  for (const [at, { i, bytes, command }] of asked.entries()) {
    const length = lengths[at] ?? null;
    if (typeof length !== 'number') throw TransferRefused.by(link, length, command);
    // One that has gone meanwhile is found to be missing when it is read.
    sizes[i] = length * bytes;
  }
  return sizes;
}

function knownSize(link: NodeLink, type: ReplyValue): number | null {
  if (type === 'none') return null;
  if (typeof type === 'string') return 0;
  throw TransferRefused.by(link, type, 'TYPE');
}
