import { randomUUID } from 'node:crypto';
import type { HistoryEntry } from '../../admin/api.js';

/** What is to be known of a change that has ended now. @param by the proxy that has ended it */
export function historyEntry(
  done: Pick<
    HistoryEntry,
    'kind' | 'generation' | 'startedAt' | 'summary' | 'keysMoved' | 'bytesMoved' | 'keysDropped'
  >,
  by: string,
): HistoryEntry {
  const { kind, generation, startedAt, summary, keysMoved, bytesMoved, keysDropped } = done;
  const finishedAt = new Date();
  return {
    id: randomUUID(),
    finishedAt: finishedAt.toISOString(),
    by,
    durationSeconds: (finishedAt.getTime() - new Date(startedAt).getTime()) / 1000,
    ...{ kind, generation, startedAt, summary, keysMoved, bytesMoved, keysDropped },
  };
}
