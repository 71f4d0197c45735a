import type { Timers } from '../time/timers.js';
import { LATE, within } from '../time/within.js';

/** How long commands on moved keys are held at most before the change is given up. */
export const FENCE_TIMEOUT_MS = 2000;
/** Nodes drop late connections in what is left of that, but may take so long in any case. */
export const LEAST_DROP_MS = 500;

/** How long a cancel waits for the sweep to stand still: a large key may be under way. Nobody waits for it meanwhile. */
export const SWEEP_STOP_MS = 10_000;
/** How long it waits for keys that clients have asked for. */
export const SETTLE_STOP_MS = 500;

/** Until when nodes may take to drop connections, by the timers' clock. @param startedAt when the fence was raised */
export function dropDeadline(startedAt: number, timers: Timers): number {
  return Math.max(startedAt + FENCE_TIMEOUT_MS, timers.now() + LEAST_DROP_MS);
}

/** @param deadline by the timers' clock @throws Error that says why when the work takes longer */
export async function before(deadline: number, why: string, work: Promise<void>, timers: Timers): Promise<void> {
  if ((await within(deadline - timers.now(), work, timers)) === LATE) throw new Error(why);
}
