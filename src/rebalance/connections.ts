/** Connections for moving keys, and making sure that old connections are gone. */
import { connectNode, describeNodeError, type NodeAccess } from '../health/inspect.js';
import type { DataPlane } from '../proxy/data-plane.js';
import type { NodeSpec } from '../ring/node-spec.js';

/**
 * A command on a connection that was cut may still lie in the node's socket and run after the fence. The
 * node is asked on another connection to drop the old ones; when it has answered, nothing of theirs runs.
 * @throws Error when a node that has such connections cannot be asked
 */
export async function killLateConnections(
  nodes: readonly NodeSpec[],
  plane: DataPlane,
  access: (name: string) => NodeAccess,
  connectTimeout: number,
): Promise<void> {
  for (const upstream of plane.nodes) {
    const node = nodes.find((candidate) => candidate.name === upstream.name && candidate.address === upstream.address);
    if (node === undefined || upstream.lateConnections.size === 0) continue;
    const redis = connectNode(node.address, access(node.name), 'ringproxy-fence', connectTimeout);
    try {
      await redis.connect();
      for (const id of [...upstream.lateConnections]) {
        await redis.call('CLIENT', 'KILL', 'ID', id);
        upstream.lateConnections.delete(id);
      }
    } catch (error) {
      throw new Error(`${node.name} (${node.address}): ${describeNodeError(error)}`);
    } finally {
      redis.disconnect();
    }
  }
}

/**
 * Makes the nodes drop the connections of a proxy that was here before and did not come to an end (kill -9):
 * its last commands may still lie there.
 * @param proxyId this proxy's own connections are left alone
 */
export async function killPredecessors(
  nodes: readonly NodeSpec[],
  proxyId: string,
  access: (name: string) => NodeAccess,
  connectTimeout: number,
): Promise<void> {
  for (const node of nodes) {
    const redis = connectNode(node.address, access(node.name), 'ringproxy-fence', connectTimeout);
    try {
      await redis.connect();
      const list = String(await redis.client('LIST'));
      for (const match of list.matchAll(/^id=(\d+) .*? name=ringproxy(?:-move)?:([0-9a-f]+) /gm)) {
        if (match[2] !== proxyId) await redis.call('CLIENT', 'KILL', 'ID', match[1] ?? '');
      }
    } finally {
      redis.disconnect();
    }
  }
}
