/** A first look at a node: is it there, is it Redis, what is it. */
import type { Redis } from 'ioredis';
import { RingproxyError } from '../errors.js';
import { describeNodeError, isReplyError, onNode, wasLoginRefused } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import type { NodeIdentity } from '../node/identity.js';
import { isForbidden, isUnknownCommand } from '../node/reply-errors.js';
import { readsOnly } from '../node/standing.js';
import { hintOnRights, INSPECTION } from '../node-rights.js';
import { fieldsOf } from '../resp/info-fields.js';
import { readRunId } from '../resp/run-id.js';
import { readImpairment } from './impairment.js';

export interface NodeFacts {
  readonly role: string;
  readonly clusterEnabled: boolean;
  readonly version: string;
  /** Tells one server process from another, under whatever address it is reached; empty when it is not said. */
  readonly runId: string;
  /** In all databases. */
  readonly keys: number;
  /** One more than the number of the last database that has keys. */
  readonly databasesInUse: number;
  /** Bytes. */
  readonly usedMemory: number;
  /** Bytes that the server used before it had any keys. */
  readonly startupMemory: number;
  /** Bytes; 0: no limit. */
  readonly maxMemory: number;
  readonly maxMemoryPolicy: string;
  /** Why it cannot do what it is there for, although it answers; or null. */
  readonly impairment: string | null;
}

/** Of connections that look what a node is, and leave it as it is. */
export const INSPECTS = readsOnly(INSPECTION);

/** Asks a node what it is. @throws RingproxyError NODE_UNREACHABLE; NODE_RIGHTS where the user may not ask */
export async function inspectNode(node: NodeEndpoint, timeout: number): Promise<NodeFacts> {
  try {
    return await onNode(node, INSPECTS, timeout, async (redis) => readFacts(await redis.info()));
  } catch (error) {
    // It is there, and does not let anybody see what it is: another thing than a node that is down.
    if (isReplyError(error) && isForbidden(error.message)) {
      const what = `${node.name} (${node.address}) does not let the proxy use info, so nobody can tell what it is`;
      const unknown = isUnknownCommand(error.message) ? ['info'] : [];
      throw new RingproxyError('NODE_RIGHTS', what, hintOnRights(['info'], unknown));
    }
    throw nodeFailure(node, error);
  }
}

/**
 * Asks nodes which server processes they are.
 * @param timeout milliseconds
 * @returns their run ids; empty where one does not say, or not in time
 */
export function runIdsOf(nodes: readonly NodeEndpoint[], timeout: number): Promise<string[]> {
  const ask = async (redis: Redis): Promise<string> => readRunId(await redis.info('server'));
  return Promise.all(nodes.map((node) => onNode(node, INSPECTS, timeout, ask).catch(() => '')));
}

/** @param info the text of INFO */
export function readFacts(info: string): NodeFacts {
  const field = fieldsOf(info);
  const version = field('redis_version');
  if (version === '') throw new Error('it does not answer INFO as Redis does');
  let keys = 0;
  let databasesInUse = 0;
  for (const [database, held] of keysByDatabase(info)) {
    keys += held;
    databasesInUse = Math.max(databasesInUse, database + 1);
  }
  return {
    role: field('role'),
    clusterEnabled: field('cluster_enabled') === '1',
    version,
    runId: readRunId(info),
    keys,
    databasesInUse,
    usedMemory: Number(field('used_memory')),
    startupMemory: Number(field('used_memory_startup')),
    maxMemory: Number(field('maxmemory')),
    maxMemoryPolicy: field('maxmemory_policy'),
    impairment: readImpairment(field),
  };
}

/** @param info the text of INFO @returns how many keys each database has that has any */
export function keysByDatabase(info: string): Map<number, number> {
  return new Map([...info.matchAll(/^db(\d+):keys=(\d+)/gm)].map((match) => [Number(match[1]), Number(match[2])]));
}

/** What operators are told when a node cannot be asked. */
export function nodeFailure(node: NodeIdentity, error: unknown): RingproxyError {
  const why = describeNodeError(error);
  const hint = wasLoginRefused(error)
    ? 'give its password: --username and --password-file for a node that joins, node-password, or password of the node in the configuration file'
    : 'check that a redis-server runs there and can be reached from this machine';
  return new RingproxyError('NODE_UNREACHABLE', `${node.name} (${node.address}) cannot be used: ${why}`, hint);
}
