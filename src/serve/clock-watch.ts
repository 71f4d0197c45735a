/** Whether this machine's clock has gone back behind what was written by it (`HybridClock.aloneUntil`). */
import type { HybridClock } from '../fleet/crdt/hybrid-clock.js';

interface Watched {
  readonly values: { readonly clock: Pick<HybridClock, 'aloneUntil'> };
  readonly log: { warn(message: string): void };
}

/** @returns to be called once in a while: tells, once each time, that others do not take what is written here */
export function clockWatch({ values, log }: Watched): () => void {
  let isTold = false;
  return () => {
    const until = values.clock.aloneUntil;
    if (until === null) isTold = false;
    else if (!isTold) {
      isTold = true;
      const time = new Date(until).toISOString();
      log.warn(
        `this machine's clock was ahead and has gone back: until it has come to ${time} other proxies do not take what is written here to replicated groups, and values differ; start this proxy anew`,
      );
    }
  };
}
