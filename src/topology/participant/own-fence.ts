import type { NodeSpec } from '../../ring/node-spec.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { LATE, within } from '../../time/within.js';
import { type FenceMember, mayMove } from '../state/change-protocol.js';

/** How long commands on moved keys are held at most before the change is given up. */
export const FENCE_TIMEOUT_MS = 2000;
/** Nodes drop late connections in what is left of that, but may take so long in any case. */
export const LEAST_DROP_MS = 500;

export interface OwnFencePorts {
  /** Waits until what is in flight is answered, for `timeout` milliseconds at most. */
  fence(timeout: number): Promise<FenceMember[]>;
  /** Makes the nodes drop connections on which a command may still lie. @throws when a node cannot be asked */
  killLateConnections(nodes: readonly NodeSpec[]): Promise<void>;
}

/**
 * Makes sure that no command of this proxy on a moved key is under way anywhere; new ones are held already.
 * @returns what this proxy says to the fence
 */
export async function raiseOwnFence(
  nodes: readonly NodeSpec[],
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
    return { acknowledged: true, why: '' };
  } catch (error) {
    return notAcknowledged(error instanceof Error ? error.message : String(error));
  }
}

/** Until when nodes may take to drop connections, by the timers' clock. @param startedAt when the fence was raised */
export function dropDeadline(startedAt: number, timers: Timers): number {
  return Math.max(startedAt + FENCE_TIMEOUT_MS, timers.now() + LEAST_DROP_MS);
}

/** @param deadline by the timers' clock @throws Error that says why when the work takes longer */
export async function before(deadline: number, why: string, work: Promise<void>, timers: Timers): Promise<void> {
  if ((await within(deadline - timers.now(), work, timers)) === LATE) throw new Error(why);
}

function notAcknowledged(why: string): FenceMember {
  return { acknowledged: false, why };
}
