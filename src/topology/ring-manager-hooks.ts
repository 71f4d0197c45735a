/** What the ring's manager needs of the rest: the data plane, the nodes, the mover, the log. */
import type { CoordinatorPorts } from './coordinator/coordinator.js';
import type { CreateMover } from './jobs/move-job.js';
import type { ParticipantPorts } from './participant/participant.js';

export interface RingManagerHooks
  extends CoordinatorPorts,
    Pick<ParticipantPorts, 'publish' | 'fence' | 'killLateConnections' | 'killPredecessors'> {
  readonly createMover: CreateMover;
  /** A person has paused or resumed the change. */
  onSteered(): void;
  info(message: string): void;
  debug(message: string): void;
}
