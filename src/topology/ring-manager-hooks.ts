/** What the ring's manager needs of the rest: the data plane, the nodes, the mover, the log. */
import type { NodeMasterView } from '../admin/api.js';
import type { CoordinatorPorts } from './coordinator/coordinator.js';
import type { PeerAsking } from './coordinator/forwarding.js';
import type { EjectionNotes } from './ejection/notes.js';
import type { MoveJobPorts } from './jobs/move-job.js';
import type { CreateMover } from './jobs/mover-start.js';
import type { ParticipantPorts } from './participant/participant.js';
import type { MemberInfo } from './state/fleet.js';
import type { Member } from './state/ring-state.js';

export interface RingManagerHooks
  extends CoordinatorPorts,
    Pick<ParticipantPorts, 'publish' | 'noted' | 'fence' | 'killLateConnections'>,
    Pick<MoveJobPorts, 'killPredecessors' | 'killEarlierMovers'> {
  readonly createMover: CreateMover;
  /** Of a node whose address says who knows where its master is, what is known of that; otherwise null. */
  master(node: Member): (NodeMasterView & { readonly reason: string }) | null;
  /** Why a node that is down is not ejected, or one that is ejected is not back; null: it is not known here. */
  readonly ejectionNotes: Pick<EjectionNotes, 'ofDown' | 'ofEjected'>;
  /** A source has no moved key left. */
  onSourceSwept(source: number): void;
  /** Whether this proxy speaks TLS with a node. */
  speaksTls(node: Member): boolean;
  /** The other proxies of the ring; null: this one is alone. */
  readonly peers: PeerAsking | null;
  /** What this proxy tells the others of itself. */
  memberInfo(): MemberInfo;
}
