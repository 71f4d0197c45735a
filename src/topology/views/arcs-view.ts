import type { ArcsView } from '../../admin/api.js';
import type { MemberSnapshot } from '../participant/local-ring.js';

/** A ring, to be drawn. @param limit most arcs */
export function arcsView(snapshot: MemberSnapshot, limit: number): ArcsView {
  const { exact, arcs } = snapshot.rings.arcs(limit);
  return {
    generation: snapshot.generation,
    phase: snapshot.phase,
    points: snapshot.rings.points,
    exact,
    nodes: snapshot.nodes.map(({ name, id }) => ({ name, id })),
    arcs: arcs.map(({ from, to, owner, next }) => [from, to, owner, next]),
  };
}
