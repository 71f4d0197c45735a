import { randomUUID } from 'node:crypto';
import type { HistoryEntry } from '../../admin/api.js';

/** A change that has ended, as whoever has ended it knows it. */
export type Done = Pick<
  HistoryEntry,
  'kind' | 'generation' | 'startedAt' | 'summary' | 'keysMoved' | 'bytesMoved' | 'keysDropped'
> & {
  /** Who has asked for it. */
  readonly who?: string | undefined;
};

/** What is to be known of a change that has ended now. @param by the proxy at which it was asked for */
export function historyEntry(done: Done, by: string): HistoryEntry {
  const { kind, generation, startedAt, summary, keysMoved, bytesMoved, keysDropped } = done;
  const finishedAt = new Date();
  return {
    id: randomUUID(),
    finishedAt: finishedAt.toISOString(),
    by,
    who: done.who ?? null,
    durationSeconds: (finishedAt.getTime() - new Date(startedAt).getTime()) / 1000,
    ...{ kind, generation, startedAt, summary, keysMoved, bytesMoved, keysDropped },
  };
}
