/**
 * LMPOP and ZMPOP: keys one after the other in their order, those of one node behind each other at once, until one has
 * elements. So do BLPOP and its like in a transaction, where they do not wait.
 */
import { request as encodeRequest } from '../../../../resp/encode.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import type { Call, Operation } from '../operation.js';
import { isNil } from '../replies.js';

export function popFirst(operation: Operation): Promise<Buffer> {
  return firstOf(operation, async (node, frame) => (await operation.ask(node, [frame]))[0] as Buffer);
}

/** Of a command that waits otherwise: within a transaction its node answers at once. */
export function popFirstAtOnce(operation: Operation): Promise<Buffer> {
  return firstOf(operation, async (node, frame) => (await operation.exec(node, [frame]))[0] as Buffer);
}

async function firstOf(
  { call }: Operation,
  ask: (node: UpstreamNode, frame: Uint8Array) => Promise<Buffer>,
): Promise<Buffer> {
  const { keys, owners } = call;
  for (let first = 0; ; ) {
    const node = owners[first] as UpstreamNode;
    let end = first + 1;
    while (end < keys.length && owners[end] === node) end++;
    const reply = await ask(node, withKeys(call, first, end));
    if (end === keys.length || !isNil(reply)) return reply;
    first = end;
  }
}

/** @returns the command with its keys `[first, end)` alone, which stand one behind the other */
function withKeys({ command, words, keys }: Call, first: number, end: number): Uint8Array {
  const before = words.slice(0, keys[0]);
  if (command.keys.kind === 'numkeys') before[command.keys.at] = Buffer.from(String(end - first));
  const names = keys.slice(first, end).map((at) => words[at] as Buffer);
  return encodeRequest([...before, ...names, ...words.slice((keys.at(-1) as number) + 1)]);
}
