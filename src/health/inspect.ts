/** A first look at a node: is it there, is it Redis, what is it. */
import { isIP } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { RingproxyError } from '../errors.js';
import { parseAddress } from '../node/address.js';
import { nameResolves } from '../node/lookup.js';
import { readRunId } from '../resp/run-id.js';
import type { NodeSpec } from '../ring/node-spec.js';
import { readImpairment } from './impairment.js';

/** Without `replyMapping`, which changes the type of a client's replies. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

export interface NodeAccess {
  readonly username: string;
  readonly password: string;
}

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

/**
 * Says why it cannot connect: ioredis rejects with "Connection is closed" whatever happened, and tells the cause
 * (refused, timed out, wrong password) by an event only.
 */
class NodeConnection extends Redis {
  readonly #access: NodeAccess;
  readonly #name: string;
  #cause: Error | null = null;

  /** @param name of the connection at the node */
  constructor(options: ClientOptions, access: NodeAccess, name: string) {
    // ioredis would greet the node itself, but keeps what the node answers to itself, or misreads it.
    super({ ...options, protocol: 2, disableClientInfo: true });
    this.#access = access;
    this.#name = name;
    this.on('error', (error: Error) => {
      // Those that follow are its consequences.
      this.#cause ??= error;
    });
  }

  override async connect(): Promise<void> {
    try {
      const { path, host, connectTimeout } = this.options;
      // ioredis takes no lookup of ours.
      const isName = path === undefined && host !== undefined && isIP(host) === 0;
      if (isName && connectTimeout !== undefined) await nameResolves(host, connectTimeout);
      await super.connect();
      const { username, password } = this.#access;
      if (password !== '') await this.call('AUTH', ...(username === '' ? [password] : [username, password]));
      // A node that turns a connection away says why to whatever comes first. It may also forbid CLIENT.
      await this.client('SETNAME', this.#name).catch((error: unknown) => {
        if (!isReplyError(error) || turnsAway(error)) throw error;
      });
      // A password is found wrong only after that. What the node answers, if it does, is for the caller's command.
      await this.ping().catch((error: unknown) => {
        if (!isReplyError(error)) throw error;
      });
    } catch (error) {
      throw isReplyError(error) ? error : (this.#cause ?? error);
    }
  }
}

/** A connection to a node for what is off the hot path; errors come with its promises, never as events. */
export function connectNode(address: string, access: NodeAccess, name: string, timeout: number): Redis {
  const target = parseAddress(address);
  if (target === null) throw new RingproxyError('BAD_ADDRESS', `'${address}' is not an address`);
  const options: ClientOptions = {
    ...target,
    connectTimeout: timeout,
    commandTimeout: timeout,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  };
  return new NodeConnection(options, access, name);
}

/** Whether the node wants no connection, whatever is asked. */
function turnsAway(error: unknown): boolean {
  return error instanceof Error && /^(?:ERR max number of clients|DENIED |NOAUTH )/.test(error.message);
}

/** Whether the node answered, with an error. */
export function isReplyError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Asks a node what it is. @throws RingproxyError that says why it cannot be a node of the ring */
export async function inspectNode(node: NodeSpec, access: NodeAccess, timeout: number): Promise<NodeFacts> {
  const redis = connectNode(node.address, access, 'ringproxy-inspect', timeout);
  try {
    await redis.connect();
    return readFacts(await redis.info());
  } catch (error) {
    throw nodeFailure(node, error);
  } finally {
    redis.disconnect();
  }
}

/**
 * Asks nodes which server processes they are.
 * @param timeout milliseconds
 * @returns their run ids; empty where one does not say, or not in time
 */
export function runIdsOf(
  nodes: readonly NodeSpec[],
  access: (name: string) => NodeAccess,
  timeout: number,
): Promise<string[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const redis = connectNode(node.address, access(node.name), 'ringproxy-inspect', timeout);
      try {
        await redis.connect();
        return readRunId(await redis.info('server'));
      } catch {
        return '';
      } finally {
        redis.disconnect();
      }
    }),
  );
}

/** Removes every key of a node. */
export async function flushNode(node: NodeSpec, access: NodeAccess, timeout: number): Promise<void> {
  const redis = connectNode(node.address, access, 'ringproxy-flush', Math.max(timeout, 60_000));
  try {
    await redis.connect();
    await redis.flushall();
  } catch (error) {
    throw nodeFailure(node, error);
  } finally {
    redis.disconnect();
  }
}

/** @param info the text of INFO */
export function readFacts(info: string): NodeFacts {
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = field('redis_version');
  if (version === '') throw new Error('it does not answer INFO as Redis does');
  let keys = 0;
  let databasesInUse = 0;
  for (const match of info.matchAll(/^db(\d+):keys=(\d+)/gm)) {
    keys += Number(match[2]);
    databasesInUse = Math.max(databasesInUse, Number(match[1]) + 1);
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

/** What operators are told when a node cannot be asked. */
export function nodeFailure(node: NodeSpec, error: unknown): RingproxyError {
  const why = describeNodeError(error);
  const hint = /NOAUTH|WRONGPASS|password/i.test(why)
    ? 'give its password: node-password, or password of the node in the configuration file'
    : 'check that a redis-server runs there and can be reached from this machine';
  return new RingproxyError('NODE_UNREACHABLE', `${node.name} (${node.address}) cannot be used: ${why}`, hint);
}

const MOST_TEXT = 200;

/** What a failed connection or command says to people. */
export function describeNodeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'it refused the connection';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name does not resolve';
  if (/timed? ?out|ETIMEDOUT/i.test(message)) return 'it did not answer in time';
  if (/Protocol error|Unknown RESP type/i.test(message)) return 'it does not speak the Redis protocol';
  if (/Connection is closed/i.test(message)) return 'it closed the connection';
  // The first sentence: DENIED has a page of them.
  return (/^(.*?)\.\s/.exec(message)?.[1] ?? message).slice(0, MOST_TEXT);
}
