/** The ring as this proxy has it: everything in it belongs to one record. */
import type { RoutedNode, RoutingSnapshot } from '../../proxy/snapshot.js';
import type { Rings } from '../../ring/rings.js';
import type { ChangeRings } from '../change-rings.js';
import type { MoveJob } from '../jobs/move-job.js';
import { type Member, serversBefore } from '../state/ring-state.js';
import type { StoredRing } from '../store/ring-store.js';

export interface LocalRing {
  readonly stored: StoredRing;
  /** Over its members alone while no change is under way; otherwise those of the change. */
  readonly rings: Rings;
  /** Null while no change is under way. */
  readonly change: ChangeRings | null;
  /** What moves keys, here or elsewhere; null while none may move. */
  readonly job: MoveJob | null;
}

/** What is routed by, before it is known how the proxy logs in at the members. */
export interface MemberSnapshot extends Omit<RoutingSnapshot, 'nodes'> {
  readonly nodes: readonly (Member & Pick<RoutedNode, 'isGivenUp'>)[];
}

/** What commands are routed by. Where keys are to be held, nobody moves any. */
export function snapshotOf({ stored, rings, change, job }: LocalRing): MemberSnapshot {
  const { generation, members, change: running } = stored.state;
  if (running === null || change === null) {
    return { generation, phase: 'stable', rings, moves: null, nodes: members };
  }
  const { undrained, readdressed = [] } = running;
  // What is in flight to one that only gets another address is answered there.
  const gone = serversBefore(
    change.union,
    undrained.filter((name) => !readdressed.includes(name)),
  );
  return {
    generation,
    // Where the change may be turned round, moved keys are on either side of it.
    phase: running.phase === 'preparing' ? 'preparing' : 'moving',
    rings,
    moves: running.phase === 'moving' ? (job?.moves ?? null) : null,
    nodes: gone.length === 0 ? change.union : change.union.map((node) => ({ ...node, isGivenUp: gone.includes(node) })),
  };
}
