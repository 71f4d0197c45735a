/** What a proxy tells the others of its load. */
import type { LoadView, ProxyLoad } from '../admin/api.js';

/** Seconds: long enough that a burst of a second is not taken for the load. */
const OVER_SECONDS = 5;

/** @returns null before the first second is over */
export function ownLoad(load: { over(seconds: number): LoadView | null }): ProxyLoad | null {
  const view = load.over(OVER_SECONDS);
  if (view === null) return null;
  const { at, clients, commandsPerSecond, errorsPerSecond, hitsPerSecond, missesPerSecond } = view;
  const { p99, cores, residentMemory } = view;
  return {
    ...{ at, clients, commandsPerSecond, errorsPerSecond, hitsPerSecond, missesPerSecond },
    ...{ p99, cores, residentMemory },
  };
}
