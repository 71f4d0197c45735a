/** LMPOP and ZMPOP: keys one after the other in their order, those of one node behind each other at once, until one has elements. */
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import type { Operation } from '../operation.js';
import { isNil } from '../replies.js';

export async function popFirst(operation: Operation): Promise<Buffer> {
  const { words, keys, owners } = operation.call;
  const name = words[0] as Buffer;
  const options = words.slice((keys.at(-1) as number) + 1);
  for (let first = 0; ; ) {
    const node = owners[first] as UpstreamNode;
    let end = first + 1;
    while (end < keys.length && owners[end] === node) end++;
    const names = keys.slice(first, end).map((at) => words[at] as Buffer);
    const reply = await operation.one(node, [name, String(names.length), ...names, ...options]);
    if (end === keys.length || !isNil(reply)) return reply;
    first = end;
  }
}
