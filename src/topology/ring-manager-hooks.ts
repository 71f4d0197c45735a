/** What the ring's manager needs of the rest: the data plane, the nodes, the mover, the log. */
import type { RoutingSnapshot } from '../proxy/snapshot.js';
import type { MoveMemory } from '../rebalance/move-memory.js';
import type { Mover } from '../rebalance/mover.js';
import type { Survey } from '../rebalance/survey.js';
import type { Ring } from '../ring/ring.js';
import type { AdmissionHooks } from './admission/admission.js';
import type { FitnessHooks } from './admission/fitness.js';
import type { FenceMember } from './state/change-protocol.js';
import type { Member } from './state/ring-state.js';

/** What the mover of a change starts from. */
export interface MoverStart {
  /** Of the nodes' processes at the fence; empty where it is not known. */
  readonly runIds: readonly string[];
  /** What the mover of the change knows that this one turns round; null: it turns none round. */
  readonly earlier: MoveMemory | null;
  /** A proxy before this one has moved keys of this change. */
  readonly resumed: boolean;
}

export interface MoverCallbacks {
  /** A node answers that could not be asked at the fence. When it has settled, that is recorded. */
  onFirstSeen(index: number, runId: string): Promise<void>;
  onFailure(message: string): void;
  onSwept(): void;
  /** So many keys were given up. */
  onDropped(keys: number): void;
  onMoved(source: string, target: string, keys: number, bytes: number): void;
}

/** What is routed by, before it is known how the proxy logs in at the members. */
export interface MemberSnapshot extends Omit<RoutingSnapshot, 'nodes'> {
  readonly nodes: readonly Member[];
}

export interface RingManagerHooks extends AdmissionHooks, FitnessHooks {
  /** The ring that is routed by from now on. */
  publish(snapshot: MemberSnapshot): void;
  /** Waits until what is in flight is answered, for `timeout` milliseconds at most. */
  fence(timeout: number): Promise<FenceMember[]>;
  /** Makes the nodes drop connections on which a command may still lie. @throws when a node cannot be asked */
  killLateConnections(nodes: readonly Member[]): Promise<void>;
  /** The same for all connections of these proxies, which were here before. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly Member[], proxies: readonly string[]): Promise<void>;
  createMover(
    nodes: readonly Member[],
    ring: Ring,
    nextRing: Ring,
    start: MoverStart,
    callbacks: MoverCallbacks,
  ): Mover;
  /** The run ids of the nodes' processes; empty where one does not say, or not at once. */
  runIds(nodes: readonly Member[]): Promise<string[]>;
  /** Looks for the largest keys that would move. */
  survey(nodes: readonly Member[], ring: Ring, nextRing: Ring): Promise<Survey>;
  /**
   * Removes keys that are not on their owner, and that the change would bring to light.
   * @param nodes index-aligned with both rings
   * @param gaining members that get keys
   * @param looks only say what would be removed
   * @returns warnings
   * @throws RingproxyError when there are so many that something else must be wrong, or a node cannot be asked
   */
  clearStrays(
    nodes: readonly Member[],
    ring: Ring,
    nextRing: Ring,
    gaining: readonly number[],
    looks: boolean,
  ): Promise<string[]>;
  /** Gives a node the functions that the members have. @throws RingproxyError when it cannot take them */
  bringFunctions(members: readonly Member[], node: Member): Promise<void>;
  /** Removes every key of a node that is to join. */
  flush(node: Member): Promise<void>;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}
