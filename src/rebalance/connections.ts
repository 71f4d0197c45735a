/** Making sure that old connections are gone before keys move: what still lies in their sockets would run late. */
import type { Redis } from 'ioredis';
import { connectNode, describeNodeError, type NodeAccess } from '../health/inspect.js';
import type { NodeSpec } from '../ring/node-spec.js';

/** A connection that ended with commands in flight. */
export interface LateConnection {
  readonly node: string;
  readonly address: string;
  /** CLIENT ID at the node. */
  readonly id: number;
  /** Its address as the node sees it; empty: unknown. */
  readonly peer: string;
}

/** Kills late connections at those of them that are to `nodes`, and tells of each that is gone. */
export type LateKiller = (
  nodes: readonly NodeSpec[],
  late: readonly LateConnection[],
  onDropped: (late: LateConnection) => void,
) => Promise<void>;

/**
 * A command on a connection that was cut may still lie in the node's socket and run after the fence. The
 * node is asked on another connection to drop the old ones; when it has answered, nothing of theirs runs.
 * @throws Error when a node that has such connections cannot be asked
 */
export function lateKiller(access: (name: string) => NodeAccess, connectTimeout: number): LateKiller {
  return async (nodes, late, onDropped) => {
    for (const node of nodes) {
      const own = late.filter((connection) => connection.node === node.name && connection.address === node.address);
      if (own.length === 0) continue;
      await onNode(node, access, connectTimeout, async (redis) => {
        for (const connection of own) {
          // A node that was restarted counts connections anew, and the number may be another one's.
          const address = connection.peer === '' ? [] : ['ADDR', connection.peer];
          await redis.call('CLIENT', 'KILL', 'ID', connection.id, ...address);
          onDropped(connection);
        }
      });
    }
  };
}

/**
 * Makes the nodes drop the connections of processes that are gone, by the names that they gave them: their last
 * commands may still lie there.
 * @param isGone whether a connection's name is one of theirs
 * @throws Error when a node cannot be asked
 */
export async function killByName(
  nodes: readonly NodeSpec[],
  isGone: (name: string) => boolean,
  access: (name: string) => NodeAccess,
  connectTimeout: number,
): Promise<void> {
  for (const node of nodes) {
    await onNode(node, access, connectTimeout, async (redis) => {
      const list = String(await redis.client('LIST'));
      for (const match of list.matchAll(/^id=(\d+) .*? name=(\S+) /gm)) {
        if (isGone(match[2] ?? '')) await redis.call('CLIENT', 'KILL', 'ID', match[1] ?? '');
      }
    });
  }
}

async function onNode(
  node: NodeSpec,
  access: (name: string) => NodeAccess,
  connectTimeout: number,
  work: (redis: Redis) => Promise<void>,
): Promise<void> {
  const redis = connectNode(node.address, access(node.name), 'ringproxy-fence', connectTimeout);
  try {
    await redis.connect();
    await work(redis);
  } catch (error) {
    throw new Error(`${node.name} (${node.address}): ${describeNodeError(error)}`);
  } finally {
    redis.disconnect();
  }
}
