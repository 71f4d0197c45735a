/** What the ring's manager needs of the rest: the data plane, the nodes, the mover, the log. */
import type { CoordinatorPorts } from './coordinator/coordinator.js';
import type { PeerAsking } from './coordinator/forwarding.js';
import type { CreateMover, MoveJobPorts } from './jobs/move-job.js';
import type { ParticipantPorts } from './participant/participant.js';
import type { MemberInfo } from './state/fleet.js';

export interface RingManagerHooks
  extends CoordinatorPorts,
    Pick<ParticipantPorts, 'publish' | 'noted' | 'fence' | 'killLateConnections'>,
    Pick<MoveJobPorts, 'killPredecessors' | 'killEarlierMovers'> {
  readonly createMover: CreateMover;
  /** A source has no moved key left. */
  onSourceSwept(source: number): void;
  /** The other proxies of the ring; null: this one is alone. */
  readonly peers: PeerAsking | null;
  /** What this proxy tells the others of itself. */
  memberInfo(): MemberInfo;
}
