/** A client library's connection to a node, for what is off the hot path and needs more than a few bare commands. */
import type { Socket } from 'node:net';
import { AbstractConnector, Redis } from 'ioredis';
import { dial } from './dial.js';
import type { NodeEndpoint } from './endpoint.js';
import { type Failure, failure, NodeFailure, sentenceOf, shortened, systemFailure } from './failure.js';
import type { NodeIdentity } from './identity.js';
import { wantsLogin } from './reply-errors.js';
import type { Pass } from './standing.js';

/** A socket that is not ended by then is destroyed. Milliseconds. */
const DISCONNECT_MS = 2000;

/**
 * Connects to a node and logs in. It does not connect anew: when the connection ends, so does the client.
 * @param pass its name at the node, and by what right it speaks
 * @param timeout milliseconds, for each of: connecting, logging in, each command
 * @throws NodeFailure that says why it cannot
 */
export async function connectNode(node: NodeEndpoint, pass: Pass, timeout: number): Promise<Redis> {
  const { socket } = await dial(node, { pass, timeout, asks: [], tolerates: 'any error' });
  const redis = new Redis({
    Connector: connectorOf(socket),
    // It would greet the node itself, but keeps what the node answers to itself, or misreads it.
    protocol: 2,
    disableClientInfo: true,
    commandTimeout: timeout,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // Errors come with the promises of commands.
  redis.on('error', () => {});
  await redis.connect();
  return redis;
}

/** Connects, works, and disconnects. @throws NodeFailure when it cannot connect, and what `work` throws */
export async function onNode<T>(
  node: NodeEndpoint,
  pass: Pass,
  timeout: number,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = await connectNode(node, pass, timeout);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** The library is given a socket on which the node has greeted already. */
function connectorOf(socket: Socket): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS);
    }

    override connect(): Promise<Socket> {
      this.connecting = true;
      this.stream = socket;
      return Promise.resolve(socket);
    }
  };
}

/** An error reply. */
interface NodeReplyError extends Error {
  readonly name: 'ReplyError';
}

/** Whether the node answered, with an error. */
export function isReplyError(error: unknown): error is NodeReplyError {
  return error instanceof Error && error.name === 'ReplyError';
}

/** How a command's promise tells of the connection: the library has no codes for these. */
const KIND_OF_MESSAGE = [
  [/^Command timed out/, 'timeout'],
  [/^Connection is closed/, 'closed'],
  [/^(?:Protocol error|Unknown RESP type)/i, 'protocol'],
] as const;

function isSystemError(error: Error): error is NodeJS.ErrnoException {
  return 'code' in error && typeof error.code === 'string';
}

/** What failed of the connection, or null: the node answered, or it was something else. */
function failureOf(error: unknown): Failure | null {
  if (error instanceof NodeFailure) return error.failure;
  if (!(error instanceof Error) || isReplyError(error)) return null;
  const kind = KIND_OF_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1];
  if (kind !== undefined) return failure(kind);
  return isSystemError(error) ? systemFailure(error) : null;
}

/** Whether the node wants a login, or another one. */
export function wasLoginRefused(error: unknown): boolean {
  return error instanceof NodeFailure ? error.kind === 'auth' : isReplyError(error) && wantsLogin(error.message);
}

/** Puts the node's name in front of what has failed. @returns a NodeFailure where that is the connection */
export function namingNode(node: NodeIdentity, error: unknown): Error {
  const message = `${node.name} (${node.address}): ${describeNodeError(error)}`;
  const found = failureOf(error);
  return found === null ? new Error(message) : new NodeFailure(node, found, message);
}

/** What a failed connection or command says to people, of a node that was named before. */
export function describeNodeError(error: unknown): string {
  const found = failureOf(error);
  if (found !== null) return sentenceOf(found);
  return shortened(error instanceof Error ? error.message : String(error));
}
