/** Whether this machine's clock has gone back behind what was written by it (`HybridClock.aloneUntil`). */
import { restampingOf } from '../fleet/values/restamping.js';
import type { ValueStore } from '../fleet/values/store.js';

interface Watched {
  readonly values: Pick<ValueStore, 'clock' | 'restamp'>;
  readonly log: { warn(message: string): void };
  /** Others are to take what they have refused. */
  readonly compareNow: () => void;
}

/** Until others follow by themselves it is no longer than this: so it is left. Milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * @returns to be called once in a while: has stamps made anew that others would not take for long (`restamping.ts`), and
 * tells of it; sees to it that others take what they have refused, once they may
 */
export function clockWatch({ values, log, compareNow }: Watched): () => void {
  const { clock } = values;
  let wasAlone = false;
  return () => {
    const until = clock.aloneUntil;
    if (until === null) {
      if (wasAlone) compareNow();
      wasAlone = false;
      return;
    }
    wasAlone = true;
    const ahead = until - clock.wall();
    if (ahead <= PATIENCE_MS) return;
    values.restamp(restampingOf(clock));
    const seconds = Math.round((ahead + clock.mostDrift) / 1000);
    log.warn(
      `this machine's clock was ${seconds} s ahead and has gone back: what was written here to replicated groups meanwhile counts as written now, and other proxies take it within half a minute`,
    );
  };
}
