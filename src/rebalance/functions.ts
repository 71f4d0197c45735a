/**
 * Functions (FUNCTION LOAD) belong to each node, and clients load them on all. A node that joins, or comes back
 * without them, gets them from another one before it serves. Scripts need no such care: see proxy/features/scripts.
 */
import type { Redis } from 'ioredis';
import { connectNode, isReplyError, onNode } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { isUnknownCommand } from '../node/reply-errors.js';
import { type ProxyStanding, passFor, readsOnly } from '../node/standing.js';

/** While they are copied, clients may load further ones: it is looked this many times whether all is well. */
const ROUNDS = 5;
const READS = readsOnly('ringproxy-functions');

/**
 * Makes the libraries of `target` those of the first of `sources` that has any and can be asked. When none of them
 * has, the target's stay.
 * @param timeout milliseconds
 * @param standing by what right the target is changed
 * @returns the name of the node that they were copied from, or null when nothing had to be done
 * @throws Error when the target cannot take them
 */
export async function copyFunctions(
  sources: readonly NodeEndpoint[],
  target: NodeEndpoint,
  timeout: number,
  standing: ProxyStanding,
): Promise<string | null> {
  for (const source of sources) {
    const from = await connectNode(source, READS, timeout).catch(() => null);
    if (from === null) continue;
    try {
      const libraries = await readLibraries(from).catch(() => null);
      if (libraries === null || libraries === NO_LIBRARIES) continue;
      const copied = await onNode(target, passFor(standing, 'functions'), timeout, (to) => mirror(from, to));
      return copied ? source.name : null;
    } finally {
      from.disconnect();
    }
  }
  return null;
}

/**
 * Gives the functions of one node to those that have none: what was restarted while no proxy looked.
 * @returns the names of the nodes that have got them; those that cannot be asked are left out
 */
export async function spreadFunctions(
  nodes: readonly NodeEndpoint[],
  timeout: number,
  standing: ProxyStanding,
): Promise<string[]> {
  const libraries = await Promise.all(
    nodes.map((node) => onNode(node, READS, timeout, readLibraries).catch(() => null)),
  );
  const source = nodes.find((_node, i) => (libraries[i] ?? NO_LIBRARIES) !== NO_LIBRARIES);
  if (source === undefined) return [];
  const lacking = nodes.filter((_node, i) => libraries[i] === NO_LIBRARIES);
  const copied = await Promise.all(
    lacking.map((node) => copyFunctions([source], node, timeout, standing).catch(() => null)),
  );
  return lacking.flatMap((node, i) => (copied[i] === null ? [] : [node.name]));
}

/** @returns whether anything had to be copied */
async function mirror(from: Redis, to: Redis): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round++) {
    const wanted = await readLibraries(from);
    if ((await readLibraries(to)) === wanted) return round > 0;
    const dump = await from.callBuffer('FUNCTION', 'DUMP');
    if (!Buffer.isBuffer(dump)) return false;
    await to.call('FUNCTION', 'RESTORE', dump, 'FLUSH');
  }
  return true;
}

const NO_LIBRARIES = '[]';

/** Names and code of the libraries as one text, the same for the same libraries. */
async function readLibraries(redis: Redis): Promise<string> {
  const list: unknown = await redis.call('FUNCTION', 'LIST', 'WITHCODE').catch((error: unknown) => {
    // Before Redis 7 there are no functions.
    if (isReplyError(error) && isUnknownCommand(error.message)) return [];
    throw error;
  });
  const libraries = Array.isArray(list) ? list.map(describeLibrary) : [];
  return JSON.stringify(libraries.sort());
}

/** @param library names and values by turns */
function describeLibrary(library: unknown): string {
  const words: unknown[] = Array.isArray(library) ? library : [];
  const value = (name: string): string => String(words[words.indexOf(name) + 1]);
  return JSON.stringify([value('library_name'), value('engine'), value('library_code')]);
}
