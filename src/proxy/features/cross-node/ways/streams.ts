/**
 * What XREAD and XREADGROUP read at once: each node is asked for its streams, and what they have comes in the order of the
 * command's. Where one is an error nothing else is to be delivered: so a group's streams are looked at before.
 */
import { request as encodeRequest } from '../../../../resp/encode.js';
import { bulkPayload, lineEnd, replyEnd } from '../../../../resp/whole-reply.js';
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
const NEWEST = Buffer.from('$');
const LAST_ID = Buffer.from('last-generated-id');
/** What is newest in a stream that is not there. */
const NO_ENTRY = Buffer.from('0-0');
const NO_SUCH_KEY = /^-ERR no such key/;

/** What a stream has, as it stands in a reply. */
interface Entry {
  readonly key: Buffer;
  readonly bytes: Buffer;
}

/** What there is, without waiting. */
export function readStreams(operation: Operation): Promise<Buffer> {
  const ask: Ask = async (node, frame) => (await operation.ask(node, [frame]))[0] as Buffer;
  return read(operation, ask, idsOf(operation));
}

/** So it is in a transaction, where BLOCK does not wait either. */
export function readStreamsAtOnce(operation: Operation): Promise<Buffer> {
  return read(operation, askInside(operation), idsOf(operation));
}

/** In a transaction a command does not wait, and is refused for what would be wrong with its waiting. */
function askInside(operation: Operation): Ask {
  return async (node, frame) => (await operation.exec(node, [frame]))[0] as Buffer;
}

/**
 * What there is for a command that waits otherwise. @param tell is told the words with which it waits then: without `$`,
 * which is what was the newest entry before
 */
export async function lookAtStreams(operation: Operation, tell: (words: Buffer[]) => void): Promise<Buffer> {
  const { words, keys } = operation.call;
  const { ids, error } = await withoutNewest(operation);
  tell([...words.slice(0, (keys.at(-1) as number) + 1), ...ids]);
  const reply = await read(operation, askInside(operation), ids);
  return error !== null && isNil(reply) ? error : reply;
}

/** How a node is asked. @returns its reply @throws StepFailed when it is down, or the connection fails */
type Ask = (node: UpstreamNode, frame: Uint8Array) => Promise<Buffer>;

interface Part {
  readonly node: UpstreamNode;
  readonly reply: Buffer;
}

async function read(operation: Operation, ask: Ask, ids: readonly Buffer[]): Promise<Buffer> {
  const { words, keys, kind } = operation.call;
  const options = words.slice(0, keys[0]);
  // To ask for entries that were delivered before changes nothing.
  const history = hasOption(options, GROUP) ? ids.map((id) => (id.equals(NEW) ? HISTORY : id)) : ids;
  const delivers = ids.some((id) => id.equals(NEW));
  if (delivers) {
    await unlessErrors(operation, ask, options, history, await askEach(operation, ask, shortened(options), history));
  }
  const all = await askEach(operation, ask, options, ids);
  // What one node has delivered is not kept back since another one fails: the next command is told of that.
  const isDelivered = delivers && all.some(({ reply }) => reply[0] !== MINUS && !isNil(reply));
  const parts = isDelivered ? all.filter(({ reply }) => reply[0] !== MINUS) : all;
  await unlessErrors(operation, ask, options, history, parts);
  if (parts.every(({ reply }) => isNil(reply))) return (parts[0] as Part).reply;
  const entries = inOrder(operation, parts);
  const header = kind.protocol === 3 ? `%${entries.length}\r\n` : `*${entries.length}\r\n`;
  return Buffer.concat([Buffer.from(header), ...entries.map(({ bytes }) => bytes)]);
}

/**
 * The ids, with that of the newest entry in the place of `$`: what is added behind that is waited for.
 * @returns as `error` why there is none, where the command itself is not refused for that: it cannot wait then
 */
async function withoutNewest(operation: Operation): Promise<{ readonly ids: Buffer[]; readonly error: Buffer | null }> {
  const { words, keys, owners, command } = operation.call;
  const ids = idsOf(operation);
  let error: Buffer | null = null;
  if (command.waits?.fromNewest !== true) return { ids, error };
  const resolve = async (id: Buffer, i: number): Promise<Buffer> => {
    if (!id.equals(NEWEST)) return id;
    const key = words[keys[i] as number] as Buffer;
    const info = await operation.one(owners[i] as UpstreamNode, ['XINFO', 'STREAM', key]);
    if (info[0] !== MINUS) return newestIn(info);
    if (NO_SUCH_KEY.test(info.toString('latin1'))) return NO_ENTRY;
    error = info;
    return id;
  };
  return { ids: await Promise.all(ids.map(resolve)), error };
}

/** @param info what XINFO STREAM answers */
function newestIn(info: Buffer): Buffer {
  const fields = elementsIn(info);
  const at = fields.findIndex((field, i) => i % 2 === 0 && payloadOf(field).equals(LAST_ID));
  return at < 0 ? NO_ENTRY : payloadOf(fields[at + 1] as Buffer);
}

function idsOf({ call: { words, keys } }: Operation): Buffer[] {
  return words.slice((keys[0] as number) + keys.length);
}

/** @returns the reply of each node, be it an error, in the order of their first streams */
function askEach(operation: Operation, ask: Ask, options: readonly Buffer[], ids: readonly Buffer[]): Promise<Part[]> {
  const { words, keys, owners } = operation.call;
  return Promise.all(
    [...new Set(owners)].map(async (node) => {
      const own = [...owners.keys()].filter((i) => owners[i] === node);
      const names = own.map((i) => words[keys[i] as number] as Buffer);
      const frame = encodeRequest([...options, ...names, ...own.map((i) => ids[i] as Buffer)]);
      return { node, reply: await ask(node, frame).catch(replyOf) };
    }),
  );
}

function replyOf(error: unknown): Buffer {
  if (error instanceof StepFailed) return error.reply;
  throw error;
}

/** @throws StepFailed with the error that Redis would have found first, when there is one */
async function unlessErrors(
  operation: Operation,
  ask: Ask,
  options: readonly Buffer[],
  ids: readonly Buffer[],
  parts: readonly Part[],
): Promise<void> {
  const failed = parts.find(({ reply }) => reply[0] === MINUS);
  if (failed === undefined) return;
  const { words, keys, owners } = operation.call;
  for (const [i, at] of keys.entries()) {
    const alone = encodeRequest([...shortened(options), words[at] as Buffer, ids[i] as Buffer]);
    unlessError(await ask(owners[i] as UpstreamNode, alone));
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
