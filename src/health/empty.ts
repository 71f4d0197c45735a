/** Emptying a node before it joins a ring: what it holds is from the past. */
import type { Redis } from 'ioredis';
import { RingproxyError } from '../errors.js';
import { isReplyError, onNode } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { isForbidden } from '../node/reply-errors.js';
import { type ProxyStanding, passFor } from '../node/standing.js';
import { readRunId } from '../resp/run-id.js';
import { emptyDisk } from './empty-disk.js';
import { keysByDatabase, nodeFailure } from './inspect.js';

/** A node that is full of keys takes its time to empty itself. Milliseconds. */
const FLUSH_MS = 60_000;
/** Keys that are removed by one command, where a node cannot be emptied by one. */
const BATCH = 500;

/**
 * Removes every key of a node, for longer than until it is restarted.
 * @throws RingproxyError when it cannot be asked, does not allow it, or could have them again
 */
export async function flushNode(node: NodeEndpoint, timeout: number, standing: ProxyStanding): Promise<void> {
  await emptying(node, timeout, standing, async (redis) => {
    await redis.flushall();
    await emptyDisk(redis, node, false, () => redis.flushall());
  });
}

/**
 * Removes every key that clients of the ring could come to see. Other databases are somebody else's: they are left as
 * they are. What is on its disk does not come back either.
 * @param databases how many of them clients may use
 * @param timeout milliseconds, for each command but those that empty
 * @param mayRemove asked once the connection stands, with the run id of its process: whoever has it dropped, or has it throw, keeps keys from being removed
 * @returns the run id of the process that is empty now
 * @throws RingproxyError when it cannot be asked, does not allow it, is not empty behind that, or could have its keys
 *   again when it is restarted
 */
export function emptyNode(
  node: NodeEndpoint,
  databases: number,
  timeout: number,
  standing: ProxyStanding,
  mayRemove: (runId: string) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  return emptying(node, timeout, standing, async (redis) => {
    const before = await redis.info();
    await mayRemove(readRunId(before));
    const held = [...keysByDatabase(before).keys()];
    const own = held.filter((database) => database < databases);
    const isShared = own.length < held.length;
    const isFlushed = !isShared && (await isAllowed(redis.flushall()));
    if (!isFlushed) for (const database of own) await emptyDatabase(redis, node, database);
    await emptyDisk(redis, node, isShared, isFlushed ? () => redis.flushall() : null);
    const info = await redis.info();
    const left = [...keysByDatabase(info)].filter(([database]) => database < databases);
    const keys = left.reduce((sum, [, count]) => sum + count, 0);
    if (keys > 0) throw new Error(`it was emptied, and holds keys again (${keys}): somebody else writes there`);
    return readRunId(info);
  });
}

async function emptyDatabase(redis: Redis, node: NodeEndpoint, database: number): Promise<void> {
  await redis.select(database);
  if ((await isAllowed(redis.flushdb())) || (await isAllowed(removeAll(redis)))) return;
  throw new RingproxyError(
    'NODE_RIGHTS',
    `${node.name} (${node.address}) cannot be emptied: its user may use neither FLUSHALL nor FLUSHDB, and not SCAN and UNLINK either`,
    `give the proxy's user the right +flushall there, or, where other databases are somebody else's, +flushdb`,
  );
}

async function removeAll(redis: Redis): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await redis.scanBuffer(cursor, 'COUNT', BATCH);
    if (keys.length > 0) await redis.unlink(...keys);
    cursor = next.toString();
  } while (cursor !== '0');
}

/** @returns false when the node's user may not send that */
async function isAllowed(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (isReplyError(error) && isForbidden(error.message)) return false;
    throw error;
  }
}

async function emptying<T>(
  node: NodeEndpoint,
  timeout: number,
  standing: ProxyStanding,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  try {
    return await onNode(node, passFor(standing, 'flush'), Math.max(timeout, FLUSH_MS), work);
  } catch (error) {
    throw error instanceof RingproxyError ? error : nodeFailure(node, error);
  }
}
