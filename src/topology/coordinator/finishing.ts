import { counted } from '../../counted.js';
import { messageOf } from '../../errors.js';
import type { RunningChange } from '../state/ring-state.js';
import { finish } from '../state/transitions.js';
import type { HistoryRecords } from '../store/ring-store.js';
import { type Done, historyEntry } from './history-entry.js';
import type { Term } from './term.js';

export interface FinishingPorts {
  warn(message: string): void;
  debug(message: string): void;
}

/** Every source is swept: records the ring that follows, until that is done or the term is over. */
export async function finishChange(term: Term, change: RunningChange, ports: FinishingPorts): Promise<void> {
  const { id, summary } = change;
  // What is told of moves goes with the next record.
  const { keysMoved, bytesMoved, keysDropped } = await term.progress.tally(change);
  const { job } = term.local();
  const failed = { isTold: false };
  let generation = 0;
  // Clients are served meanwhile: every moved key is where both rings look for it.
  const revision = await term.recordAtLast(
    (state) => {
      const isDue = state.change?.id === id && state.change.phase === 'moving';
      const next = isDue ? finish(state) : state;
      generation = isDue ? next.generation : 0;
      return next;
    },
    (error) => {
      const why = messageOf(error);
      if (!failed.isTold) ports.warn(`${summary}: everything has moved, but not recorded yet: ${why}`);
      failed.isTold = true;
      if (job?.changeId === id) job.status.failure = why;
    },
  );
  if (revision === null || generation === 0) return;
  const by = change.by ?? term.duty.claim.holder;
  await addHistory(term.store, { ...change, generation, keysMoved, keysDropped, bytesMoved }, by, ports);
  if (keysDropped > 0) ports.warn(`${summary}: ${describeDropped(keysDropped)}`);
  ports.debug(`${summary}: done, ${counted(keysMoved, 'key')} moved, generation ${generation}`);
}

/** The ring itself is what must not be lost: a history that cannot be written is only told of. */
export async function addHistory(
  store: HistoryRecords,
  done: Done,
  by: string,
  ports: Pick<FinishingPorts, 'warn'>,
): Promise<void> {
  await store.addHistory(historyEntry(done, by)).catch((error: unknown) => {
    ports.warn(`the history of changes could not be written: ${messageOf(error)}`);
  });
}

function describeDropped(keys: number): string {
  return `${counted(keys, 'key was', 'keys were')} dropped and read as missing: the node was restarted while keys moved, and what it had could not be told from what was changed or deleted since`;
}
