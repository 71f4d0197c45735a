/** Asks a node what a change of the ring relies on: rights, databases, settings, and whether it takes others' values. */
import type { Redis } from 'ioredis';
import { describeNodeError, isReplyError, onNode } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { type Refusal, refusalIn } from '../node/reply-errors.js';
import { NODE_RIGHTS, type NodeRight, PROBE_KEY } from '../node-rights.js';
import { INSPECTS, nodeFailure } from './inspect.js';

/** What the proxy may not send to a node. */
export interface LackingRight extends NodeRight {
  readonly why: Refusal;
}

export interface NodeExam {
  /** As far as it can be asked by a command that changes nothing. */
  readonly lacking: readonly LackingRight[];
  /** How many databases it has; where it does not say, of as many as were asked for. */
  readonly databases: number;
  /** Those of `COMPARED_SETTINGS` that it tells. */
  readonly settings: ReadonlyMap<string, string>;
}

/** What makes applications behave otherwise on one node of a ring than on another. */
export const COMPARED_SETTINGS = [
  'notify-keyspace-events',
  'maxmemory-policy',
  'proto-max-bulk-len',
  'timeout',
  'appendonly',
] as const;

const PROBE_MS = 10_000;

/**
 * @param databases how many are needed
 * @param timeout milliseconds
 * @throws RingproxyError when the node does not answer
 */
export async function examineNode(node: NodeEndpoint, databases: number, timeout: number): Promise<NodeExam> {
  return asked(node, timeout, async (redis) => {
    // All in one go: to a node far away each would take its time.
    const [lacking, values, told] = await Promise.all([
      Promise.all(NODE_RIGHTS.map((right) => lacks(redis, right))),
      Promise.all(COMPARED_SETTINGS.map((name) => setting(redis, name))),
      setting(redis, 'databases'),
    ]);
    const settings = new Map<string, string>();
    for (const [i, name] of COMPARED_SETTINGS.entries()) {
      const value = values[i] ?? null;
      if (value !== null) settings.set(name, value);
    }
    return {
      lacking: lacking.flatMap((right) => right ?? []),
      databases: told === null ? await databasesUpTo(redis, databases) : Number(told),
      settings,
    };
  });
}

/** @returns how many databases can be selected, of `most`: the last one is looked for by halves */
async function databasesUpTo(redis: Redis, most: number): Promise<number> {
  let has = 1;
  let lacks = most + 1;
  for (let tried = most; has + 1 < lacks; tried = Math.floor((has + lacks) / 2)) {
    if ((await refusalOf(redis, ['SELECT', String(tried - 1)])) === null) has = tried;
    else lacks = tried;
  }
  return has;
}

/**
 * Whether one node takes the values of another, which may be of a newer version.
 * @returns why not, or null
 * @throws RingproxyError when one of them does not answer
 */
export async function takesValuesOf(
  source: NodeEndpoint,
  target: NodeEndpoint,
  timeout: number,
): Promise<string | null> {
  const value = await asked(source, timeout, async (redis) => {
    await redis.set(PROBE_KEY, 'x', 'PX', PROBE_MS);
    return redis.dumpBuffer(PROBE_KEY).finally(() => redis.unlink(PROBE_KEY));
  });
  return asked(target, timeout, async (redis) => {
    try {
      await redis.restore(PROBE_KEY, PROBE_MS, value, 'REPLACE');
      await redis.unlink(PROBE_KEY);
      return null;
    } catch (error) {
      if (isReplyError(error)) return describeNodeError(error);
      throw error;
    }
  });
}

/** @throws RingproxyError NODE_UNREACHABLE whatever has failed */
async function asked<T>(node: NodeEndpoint, timeout: number, work: (redis: Redis) => Promise<T>): Promise<T> {
  try {
    return await onNode(node, INSPECTS, timeout, work);
  } catch (error) {
    throw nodeFailure(node, error);
  }
}

/** @returns the right if the node refuses it */
async function lacks(redis: Redis, right: NodeRight): Promise<LackingRight | null> {
  const error = right.probe === null ? null : await refusalOf(redis, right.probe);
  const why = error === null ? null : refusalIn(error);
  return why === null ? null : { ...right, why };
}

/** @returns the node's error, or null. @throws when it does not answer */
export async function refusalOf(redis: Redis, [command, ...args]: readonly string[]): Promise<string | null> {
  try {
    await redis.call(command ?? '', ...args);
    return null;
  } catch (error) {
    if (isReplyError(error)) return error.message;
    throw error;
  }
}

async function setting(redis: Redis, name: string): Promise<string | null> {
  const reply: unknown = await redis.call('CONFIG', 'GET', name).catch((error: unknown) => {
    if (isReplyError(error)) return null;
    throw error;
  });
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : null;
}
