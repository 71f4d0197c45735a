/**
 * XREAD and XREADGROUP that do not wait: each node is asked for its streams, and what they have comes in the order of the
 * command's. Where one is an error nothing else is to be delivered: so a group's streams are looked at before.
 */
import { bulkPayload, lineEnd, replyEnd } from '../../../../resp/whole-reply.js';
import { crossSlotReply } from '../../../route/replies.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { unlessError } from '../exec.js';
import type { Operation } from '../operation.js';
import { elementsIn, isNil } from '../replies.js';
import { StepFailed } from '../step-failed.js';

const MAP = 0x25;
const MINUS = 0x2d;
const NEW = Buffer.from('>');
/** Entries that were delivered before. */
const HISTORY = Buffer.from('0');
const GROUP = 'group';
const COUNT = 'count';
const BLOCK = 'block';

/** What a stream has, as it stands in a reply. */
interface Entry {
  readonly key: Buffer;
  readonly bytes: Buffer;
}

export async function readStreams(operation: Operation): Promise<Buffer> {
  const { command, words, keys, kind } = operation.call;
  const first = keys[0] as number;
  const options = words.slice(0, first);
  const ids = words.slice(first + keys.length);
  if (command.waits !== null && hasOption(options, BLOCK)) throw new StepFailed(crossSlotReply('allow'));
  // To ask for entries that were delivered before changes nothing.
  const history = hasOption(options, GROUP) ? ids.map((id) => (id.equals(NEW) ? HISTORY : id)) : ids;
  if (ids.some((id) => id.equals(NEW))) {
    await unlessErrors(operation, options, history, await askEach(operation, shortened(options), history));
  }
  const parts = await askEach(operation, options, ids);
  await unlessErrors(operation, options, history, parts);
  if (parts.every(({ reply }) => isNil(reply))) return (parts[0] as Part).reply;
  const entries = inOrder(operation, parts);
  const header = kind.protocol === 3 ? `%${entries.length}\r\n` : `*${entries.length}\r\n`;
  return Buffer.concat([Buffer.from(header), ...entries.map(({ bytes }) => bytes)]);
}

interface Part {
  readonly node: UpstreamNode;
  readonly reply: Buffer;
}

/** @returns the reply of each node, in the order of their first streams */
function askEach(operation: Operation, options: readonly Buffer[], ids: readonly Buffer[]): Promise<Part[]> {
  const { words, keys, owners } = operation.call;
  return Promise.all(
    [...new Set(owners)].map(async (node) => {
      const own = [...owners.keys()].filter((i) => owners[i] === node);
      const names = own.map((i) => words[keys[i] as number] as Buffer);
      const reply = await operation.one(node, [...options, ...names, ...own.map((i) => ids[i] as Buffer)]);
      return { node, reply };
    }),
  );
}

/** @throws StepFailed with the error that Redis would have found first, when there is one */
async function unlessErrors(
  operation: Operation,
  options: readonly Buffer[],
  ids: readonly Buffer[],
  parts: readonly Part[],
): Promise<void> {
  const failed = parts.find(({ reply }) => reply[0] === MINUS);
  if (failed === undefined) return;
  const { words, keys, owners } = operation.call;
  for (const [i, at] of keys.entries()) {
    const alone = [...shortened(options), words[at] as Buffer, ids[i] as Buffer];
    unlessError(await operation.one(owners[i] as UpstreamNode, alone));
  }
  throw new StepFailed(failed.reply);
}

/** What follows GROUP and COUNT may be any word. */
function hasOption(options: readonly Buffer[], option: string): boolean {
  for (let at = 1; at < options.length; at++) {
    const word = options[at]?.toString('latin1').toLowerCase();
    if (word === option) return true;
    if (word === GROUP) at += 2;
    else if (word === COUNT) at += 1;
  }
  return false;
}

/** The options, for as little as one entry. */
function shortened(options: readonly Buffer[]): Buffer[] {
  const at = options.findIndex((word, i) => i > 3 && word.toString('latin1').toLowerCase() === COUNT);
  if (at >= 0) return options.map((word, i) => (i === at + 1 && isPositive(word) ? Buffer.from('1') : word));
  return [...options.slice(0, -1), Buffer.from('COUNT'), Buffer.from('1'), ...options.slice(-1)];
}

function isPositive(word: Buffer): boolean {
  return /^[1-9]\d{0,15}$/.test(word.toString('latin1'));
}

function inOrder({ call }: Operation, parts: readonly Part[]): Entry[] {
  const left = new Map(parts.map(({ node, reply }) => [node, entriesIn(reply)]));
  const entries: Entry[] = [];
  for (const [i, at] of call.keys.entries()) {
    const own = left.get(call.owners[i] as UpstreamNode);
    if (own?.[0]?.key.equals(call.words[at] as Buffer) !== true) continue;
    entries.push(own.shift() as Entry);
  }
  return entries;
}

function entriesIn(reply: Buffer): Entry[] {
  if (isNil(reply)) return [];
  const parts = elementsIn(reply);
  if (reply[0] === MAP) {
    return parts.flatMap((key, i) =>
      i % 2 === 0 ? [{ key: payloadOf(key), bytes: Buffer.concat([key, parts[i + 1] as Buffer]) }] : [],
    );
  }
  return parts.map((bytes) => {
    const at = lineEnd(bytes, 0);
    return { key: payloadOf(bytes.subarray(at, replyEnd(bytes, at, bytes.length))), bytes };
  });
}

function payloadOf(bulk: Buffer): Buffer {
  return bulkPayload(bulk, 0, bulk.length) ?? Buffer.alloc(0);
}
