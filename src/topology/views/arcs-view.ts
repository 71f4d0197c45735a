import type { ArcsView } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import type { RoutingSnapshot } from '../../proxy/snapshot.js';
import { ringArcs } from '../../ring/arcs.js';

/** The ring that commands are routed by, to be drawn. @param limit most arcs @throws RingproxyError before there is one */
export function arcsView(snapshot: RoutingSnapshot | null, limit: number): ArcsView {
  if (snapshot === null) throw new RingproxyError('NOT_READY', 'the ring is not known yet');
  const { exact, arcs } = ringArcs(snapshot.ring, snapshot.nextRing, limit);
  return {
    generation: snapshot.generation,
    phase: snapshot.phase,
    points: snapshot.ring.owners.length,
    exact,
    nodes: snapshot.nodes.map(({ name, id }) => ({ name, id })),
    arcs: arcs.map(({ from, to, owner, next }) => [from, to, owner, next]),
  };
}
