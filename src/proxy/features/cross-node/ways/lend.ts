/**
 * Commands that read several keys and write one at most (SUNION, SUNIONSTORE, COPY, BITOP, PFMERGE, …).
 *
 *   other nodes    MEMORY USAGE, then MULTI DUMP PTTL … EXEC
 *   home           MULTI
 *                  RESTORE __ringproxy__lent:0 …           what other nodes have, each key under such a name
 *                  SUNIONSTORE target own __ringproxy__lent:0
 *                  UNLINK __ringproxy__lent:0
 *                  EXEC
 *
 * Home is where the written key is, otherwise the node that has most of the keys. What is lent is there only within the
 * transaction: nobody sees it, nothing evicts it, and whatever dies, nothing of it is left. The command sees the keys of
 * each node as they were in one moment, and another moment for each node.
 */
import { MINUS } from '../../../../resp/bytes.js';
import { request as encodeRequest } from '../../../../resp/encode.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { elementsOf, inTransaction, unlessError } from '../exec.js';
import { type KeyAt, lentName, readValues, restoreFrame, type Value } from '../lent-values.js';
import type { Call, Operation } from '../operation.js';
import { StepFailed } from '../step-failed.js';
import { expectTaken, notTaken } from '../taken-dumps.js';

/** Is told under which name a key is lent. */
type Tell = (name: Buffer, key: Buffer) => void;

/** Runs the command where most of its keys are. */
export function lendForRead(operation: Operation, tell?: Tell): Promise<Buffer> {
  return lend(operation, homeOfMost(operation.call), tell);
}

/** Runs the command where its first key is, which it writes. */
export function lendForFirst(operation: Operation): Promise<Buffer> {
  return lend(operation, operation.call.owners[0] as UpstreamNode);
}

/** Runs the command where its last key is, which it writes. */
export function lendForLast(operation: Operation): Promise<Buffer> {
  return lend(operation, operation.call.owners.at(-1) as UpstreamNode);
}

async function lend(operation: Operation, home: UpstreamNode, tell?: Tell): Promise<Buffer> {
  const { call } = operation;
  const words = [...call.words];
  const lent: KeyAt[] = [];
  const indexOf = new Map<string, number>();
  for (const [i, at] of call.keys.entries()) {
    const key = call.words[at] as Buffer;
    const node = call.owners[i] as UpstreamNode;
    if (node === home) continue;
    const known = indexOf.get(key.toString('latin1'));
    if (known === undefined) {
      indexOf.set(key.toString('latin1'), lent.length);
      lent.push({ key, node });
    }
    const name = lentName(known ?? lent.length - 1);
    words[at] = name;
    tell?.(name, key);
  }
  const values = await readValues(operation, lent);
  return runWith(operation, home, words, values);
}

/** Runs the command at home with the values under their lent names. @param values null: the key is not there */
async function runWith(
  operation: Operation,
  home: UpstreamNode,
  words: readonly Buffer[],
  values: readonly (Value | null)[],
): Promise<Buffer> {
  const names: Buffer[] = [];
  const restores: Uint8Array[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const name = lentName(index);
    names.push(name);
    restores.push(restoreFrame(name, value));
  }
  // A RESTORE that failed within the transaction would not keep the command from running without the key.
  if (operation.call.command.write) await expectTaken(operation, home, values);
  const after = names.length === 0 ? [] : [encodeRequest(['UNLINK', ...names])];
  const frames = inTransaction([...restores, encodeRequest(words), ...after]);
  const elements = elementsOf(await operation.ask(home, frames)) ?? [];
  for (const restored of elements.slice(0, restores.length)) {
    if (restored[0] === MINUS) throw new StepFailed(notTaken(home, restored), true);
  }
  return unlessError(elements[restores.length] as Buffer);
}

function homeOfMost({ owners }: Call): UpstreamNode {
  const counts = new Map<UpstreamNode, number>();
  for (const node of owners) counts.set(node, (counts.get(node) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}
