import type { LateConnection } from '../../../rebalance/connections.js';
import type { Timers } from '../../../time/timers.js';
import { LATE, within } from '../../../time/within.js';
import type { FenceMember } from '../../../topology/state/change-protocol.js';
import { stillInFlight } from '../../host.js';
import type { Fenced } from './worker-process.js';

/** What a worker may take longer than it was given for the fence, before it counts as stalled. */
const MARGIN_MS = 500;

/** A worker, as a member of the fence. */
export interface Fencing {
  readonly number: number;
  readonly pid: number;
  readonly ended: boolean;
  /** @param timeout milliseconds @returns null when it died meanwhile */
  fence(timeout: number): Promise<Fenced | null>;
}

/**
 * Raises the fence at every worker.
 * @param timeout milliseconds
 * @param onLate told of the connections of those that have acknowledged, on which commands may still lie
 * @returns one member for each worker
 */
export async function fenceWorkers(
  workers: Iterable<Fencing>,
  timeout: number,
  onLate: (late: readonly LateConnection[]) => void,
  timers: Timers,
): Promise<FenceMember[]> {
  const members = [...workers];
  const limit = timeout + MARGIN_MS;
  const results = await Promise.all(members.map((worker) => within(limit, worker.fence(timeout), timers)));
  return members.map((worker, i): FenceMember => {
    const result = results[i] ?? null;
    // One that died has nothing in flight but what its connections left at the nodes, and those are dropped.
    if (worker.ended || result === null) return { acknowledged: true, why: '' };
    if (result === LATE) {
      const which = `worker ${worker.number} (process ${worker.pid})`;
      return {
        acknowledged: false,
        why: `${which} does not answer: if it is stalled, end it, another one takes its place`,
      };
    }
    if (result.slow.length > 0) return { acknowledged: false, why: stillInFlight(result.slow) };
    onLate(result.late);
    return { acknowledged: true, why: '' };
  });
}
