/**
 * Whether a node takes what another one has dumped: an older Redis does not take what a newer one writes, and one that
 * lacks a module does not take its values. Said by the node itself, once for each format.
 */
import { error as encodeError, request as encodeRequest } from '../../../resp/encode.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { unlessError } from './exec.js';
import { lentName, restoreFrame, type Value } from './lent-values.js';
import type { Operation } from './operation.js';

/** A payload ends with the version of its format (2 bytes, little endian) and a checksum (8 bytes). */
const FOOTER_BYTES = 10;
/** A payload's first byte is the value's type, from this one on of a module's (Redis' `rdb.h`: 6 and 7). */
const MODULE_TYPES = new Set([6, 7]);

interface Taken {
  /** Of its process: one that was started since may be another Redis. */
  readonly reconnects: number;
  readonly version: number;
}

const newest = new WeakMap<UpstreamNode, Taken>();

/** @throws StepFailed with what the node says to a value that it does not take: nothing was changed */
export async function expectTaken(
  operation: Operation,
  node: UpstreamNode,
  values: readonly (Value | null)[],
): Promise<void> {
  const taken = newest.get(node);
  const { reconnects } = node.counters;
  const known = taken?.reconnects === reconnects ? taken.version : -1;
  const doubtful = values.filter((value): value is Value => value !== null && isDoubtful(value, known));
  if (doubtful.length === 0) return;
  const name = lentName(0);
  const frames = doubtful.flatMap((value) => [restoreFrame(name, value), encodeRequest(['UNLINK', name])]);
  for (const reply of await operation.exec(node, frames)) unlessError(reply);
  const version = Math.max(known, ...doubtful.map(versionOf));
  newest.set(node, { reconnects, version });
}

/** @param reply the error that the node has answered to RESTORE @returns it with the node's name */
export function notTaken({ name, address }: UpstreamNode, reply: Buffer): Buffer {
  const why = reply.toString('utf8', 1, reply.length - 2);
  return encodeError(`ERR node ${name} (${address}) does not take a value of another node: ${why}`);
}

function isDoubtful(value: Value, known: number): boolean {
  return versionOf(value) > known || MODULE_TYPES.has(value.payload[0] as number);
}

function versionOf({ payload }: Value): number {
  return payload.readUInt16LE(payload.length - FOOTER_BYTES);
}
