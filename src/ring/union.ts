import { sameNode } from '../node/identity.js';
import type { NodeSpec } from './node-spec.js';
import { Ring } from './ring.js';
import { noSoleOwners } from './sole-owners.js';

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
  const owners = ring.owners.map((owner) => indices[owner] as number);
  const { continuum } = ring;
  const soleOwners = noSoleOwners(continuum.soleOwners.length, nodes.length);
  for (let i = 0; i < soleOwners.length; i++) {
    const sole = continuum.soleOwners[i] as number;
    if (sole > 0) soleOwners[i] = (indices[sole - 1] as number) + 1;
  }
  return new Ring(nodes, ring.options, { ...continuum, owners, soleOwners });
}
