/**
 * Nodes that are one server under several names: by what their addresses resolve to, or since a failover has led one of
 * them where the other is. Each owns a part of the keys there, and holds those of the other for strays; to move keys
 * between them would remove them. So nothing is removed or moved while it is so.
 */
import { RingproxyError } from '../../errors.js';
import type { NodeIdentity } from '../../node/identity.js';

/**
 * @param runIds index-aligned with the nodes; empty or null: it is not known
 * @returns for each server that is several of the nodes, these
 */
export function sharedServers<Node extends NodeIdentity>(
  nodes: readonly Node[],
  runIds: readonly (string | null)[],
): Node[][] {
  const byRunId = new Map<string, Node[]>();
  for (const [index, node] of nodes.entries()) {
    const runId = runIds[index] ?? '';
    if (runId !== '') byRunId.set(runId, [...(byRunId.get(runId) ?? []), node]);
  }
  return [...byRunId.values()].filter((sharing) => sharing.length > 1);
}

/** A sentence for people, without its end. */
export function describeShared(sharing: readonly NodeIdentity[]): string {
  const names = sharing.map(({ name, address }) => `${name} (${address})`).join(' and ');
  return `${names} are one server, where each would take the other's keys for strays`;
}

/** @throws RingproxyError SAME_SERVER when some of the nodes are one server */
export function refuseShared(nodes: readonly NodeIdentity[], runIds: readonly (string | null)[]): void {
  const [sharing] = sharedServers(nodes, runIds);
  if (sharing !== undefined) throw new RingproxyError('SAME_SERVER', describeShared(sharing));
}
