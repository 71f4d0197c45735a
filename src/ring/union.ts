import { sameNode } from '../node/identity.js';
import type { NodeSpec } from './node-spec.js';
import { Ring } from './ring.js';

/**
 * The same ring over a longer list of nodes, of which some may own nothing: while a ring changes, the old
 * and the new one number their nodes alike.
 * @throws Error when `nodes` lacks a node of the ring
 */
export function overNodes(ring: Ring, nodes: readonly NodeSpec[]): Ring {
  const indices = Uint16Array.from(ring.nodes, (node) => {
    const index = nodes.findIndex((candidate) => sameNode(candidate, node));
    if (index < 0) throw new Error(`node ${node.name} is not among the nodes`);
    return index;
  });
  const owners = new Uint16Array(ring.owners.length);
  for (let i = 0; i < owners.length; i++) owners[i] = indices[ring.owners[i] as number] as number;
  return new Ring(nodes, ring.options, { ...ring.continuum, owners });
}
