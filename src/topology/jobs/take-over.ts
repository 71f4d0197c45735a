import { messageOf } from '../../errors.js';
import { NodeFailure } from '../../node/failure.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Member } from '../state/ring-state.js';

export interface TakeOverPorts {
  /** Makes the nodes drop the predecessors' connections. @throws when a node cannot be asked */
  drop(nodes: readonly Member[]): Promise<void>;
  /** What keeps it waiting, each time that it has tried; null: nothing any more. */
  onWait(failure: string | null): void;
  isClosed(): boolean;
}

const RETRY_MS = 500;

/**
 * A predecessor's moves may still lie at a node, and would run late: waits until every node has dropped its connections.
 * A node that refuses connections has no process that could run them.
 * @returns false when it was closed before
 */
export async function dropPredecessors(
  nodes: readonly Member[],
  ports: TakeOverPorts,
  timers: Pick<Timers, 'after'> = systemTimers,
): Promise<boolean> {
  for (const node of nodes) {
    while (!ports.isClosed()) {
      try {
        await ports.drop([node]);
        break;
      } catch (error) {
        if (error instanceof NodeFailure && error.nobodyListens) break;
        ports.onWait(`waits for ${messageOf(error)}`);
        await new Promise<void>((resolve) => timers.after(RETRY_MS, resolve));
      }
    }
  }
  if (ports.isClosed()) return false;
  ports.onWait(null);
  return true;
}
