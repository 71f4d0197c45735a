import { messageOf } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { before, dropDeadline, FENCE_TIMEOUT_MS } from '../fence-times.js';
import { type FenceMember, mayMove } from '../state/change-protocol.js';
import type { Member } from '../state/ring-state.js';

export interface OwnFencePorts {
  /** Waits until what is in flight is answered, for `timeout` milliseconds at most. */
  fence(timeout: number): Promise<FenceMember[]>;
  /** Makes the nodes drop connections on which a command may still lie. @throws when a node cannot be asked */
  killLateConnections(nodes: readonly Member[]): Promise<void>;
  /** Makes the nodes drop connections on which moves of keys may lie, which hold still. @throws when a node cannot be asked */
  dropLateMoves(): Promise<void>;
}

/**
 * Makes sure that no command of this proxy on a moved key is under way anywhere; new ones are held already.
 * @returns what this proxy says to the fence
 */
export async function raiseOwnFence(
  nodes: readonly Member[],
  ports: OwnFencePorts,
  timers: Timers = systemTimers,
): Promise<FenceMember> {
  const startedAt = timers.now();
  try {
    const processes = await ports.fence(FENCE_TIMEOUT_MS);
    if (!mayMove(processes)) return notAcknowledged(processes.find(({ acknowledged }) => !acknowledged)?.why ?? '');
    const deadline = dropDeadline(startedAt, timers);
    for (const node of nodes) {
      const why = `${node.name} (${node.address}) does not drop connections of which commands may still lie there`;
      await before(deadline, why, ports.killLateConnections([node]), timers);
    }
    await before(deadline, 'a node does not drop connections of moves', ports.dropLateMoves(), timers);
    return { acknowledged: true, why: '' };
  } catch (error) {
    return notAcknowledged(messageOf(error));
  }
}

function notAcknowledged(why: string): FenceMember {
  return { acknowledged: false, why };
}
