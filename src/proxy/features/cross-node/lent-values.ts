/**
 * Values of keys that are lent to another node for one command: as the node's DUMP has them, with their times to live.
 */
import { error as encodeError, request as encodeRequest } from '../../../resp/encode.js';
import { parseIntegerLine } from '../../../resp/reply-framer.js';
import { bulkPayload } from '../../../resp/whole-reply.js';
import { RESERVED_PREFIX } from '../../route/reserved.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { unlessError } from './exec.js';
import type { Operation } from './operation.js';
import { StepFailed } from './step-failed.js';

const COLON = 0x3a;

/** A key as it was at its node. */
export interface Value {
  /** What DUMP has answered. */
  readonly payload: Buffer;
  /** Milliseconds that it is still to live; 0: for ever. */
  readonly ttl: number;
}

/** A key, and where it is. */
export interface KeyAt {
  readonly key: Buffer;
  readonly node: UpstreamNode;
}

/** Under which a key stands at a node that it is lent to; nobody ever sees it outside of the transaction that has it. */
export function lentName(index: number): Buffer {
  return Buffer.concat([RESERVED_PREFIX, Buffer.from(`lent:${index}`)]);
}

/** What a DUMP and a PTTL in one transaction have answered. @returns null when the key is not there */
export function valueIn(dump: Buffer, pttl: Buffer): Value | null {
  const payload = bulkPayload(unlessError(dump), 0, dump.length);
  if (payload === null) return null;
  const left = parseIntegerLine(unlessError(pttl), 0, pttl.length);
  // It may have expired to the millisecond.
  return { payload, ttl: left === -1 ? 0 : Math.max(1, left) };
}

/** @returns a frame that makes the value that of `name`, whatever it is now */
export function restoreFrame(name: Uint8Array, { payload, ttl }: Value): Uint8Array {
  return encodeRequest(['RESTORE', name, String(ttl), payload, 'REPLACE']);
}

/** @returns a frame that gives the value to `name`, unless there is one by that name */
export function restoreNewFrame(name: Uint8Array, { payload, ttl }: Value): Uint8Array {
  return encodeRequest(['RESTORE', name, String(ttl), payload]);
}

export function dumpFrames(key: Uint8Array): Uint8Array[] {
  return [encodeRequest(['DUMP', key]), encodeRequest(['PTTL', key])];
}

/**
 * Reads the values of keys, those of one node as they were in one moment.
 * @returns index-aligned; null: the key is not there
 * @throws StepFailed when a node fails, or they take more bytes than one command may lend
 */
export async function readValues(operation: Operation, keys: readonly KeyAt[]): Promise<(Value | null)[]> {
  await expectFew(operation, keys);
  const values = new Array<Value | null>(keys.length).fill(null);
  await Promise.all(
    byNode(keys).map(async ([node, indices]) => {
      const frames = indices.flatMap((index) => dumpFrames((keys[index] as KeyAt).key));
      const replies = await operation.exec(node, frames);
      for (const [i, index] of indices.entries()) {
        values[index] = valueIn(replies[2 * i] as Buffer, replies[2 * i + 1] as Buffer);
      }
    }),
  );
  return values;
}

/**
 * Before a node makes a dump of a value, and keeps everybody waiting meanwhile, it is asked how large it is.
 * @throws StepFailed when it fails, or they take more bytes than one command may take from node to node
 */
export async function expectFew(operation: Operation, keys: readonly KeyAt[]): Promise<void> {
  const usages = await Promise.all(
    byNode(keys).map(([node, indices]) =>
      operation.ask(
        node,
        indices.map((index) => encodeRequest(['MEMORY', 'USAGE', (keys[index] as KeyAt).key])),
      ),
    ),
  );
  let bytes = 0;
  // Of a key that is not there nil, and an error from a node that does not tell.
  for (const reply of usages.flat()) {
    if (reply[0] === COLON) bytes += parseIntegerLine(reply, 0, reply.length);
  }
  if (bytes > operation.call.maxBytes) throw new StepFailed(tooLarge(operation, bytes), true);
}

function byNode(keys: readonly KeyAt[]): [UpstreamNode, number[]][] {
  const found = new Map<UpstreamNode, number[]>();
  for (const [index, { node }] of keys.entries()) {
    const indices = found.get(node);
    if (indices === undefined) found.set(node, [index]);
    else indices.push(index);
  }
  return [...found];
}

function tooLarge({ call }: Operation, bytes: number): Buffer {
  const name = call.command.name.toUpperCase().replace('|', ' ');
  return encodeError(
    `ERR ${name} would take ${bytes} bytes from node to node, and cross-node-max-bytes is ${call.maxBytes}: give its keys a hash tag, such as {user:1}, in common`,
  );
}
