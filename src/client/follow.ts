/** Follows a change of the ring until it is over. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeView, HistoryEntry, RingView } from '../admin/api.js';
import { AdminError } from './admin-error.js';
import { adminError } from './own-errors.js';
import { hintForPaused } from './paused-hint.js';

const POLL_MS = 200;
/** A change is over a moment before it is in the history. */
const OUTCOME_MS = 5_000;

/** What is asked of a proxy, or of whichever one of its ring answers. */
export interface Asked {
  ring(): Promise<RingView>;
  history(): Promise<HistoryEntry[]>;
}

export interface FollowOptions {
  /** Told how it stands, about five times a second. */
  readonly onProgress?: ((change: ChangeView) => void) | undefined;
  /** Ends the following with an error, and not the change. */
  readonly signal?: AbortSignal | undefined;
  /** It takes another one back: what it undoes is no failure. */
  readonly cancels?: boolean | undefined;
}

/**
 * @param generation the first one that the change can lead to, as the answer to it says
 * @returns what the history says of it
 * @throws AdminError when it has paused because of a failure, or was turned round by somebody else
 */
export async function followChange(
  proxy: Asked,
  generation: number,
  { onProgress, signal, cancels = false }: FollowOptions = {},
): Promise<HistoryEntry> {
  for (;;) {
    signal?.throwIfAborted();
    const { change, nodes } = await proxy.ring();
    if (change === null) break;
    onProgress?.(change);
    if (change.paused && change.error !== null) {
      throw new AdminError('CHANGE_PAUSED', change.error, hintForPaused(change, nodes));
    }
    await delay(POLL_MS, undefined, { signal });
  }
  const entry = await outcome(proxy, generation, signal);
  if (entry === null) throw adminError('CHANGE_UNKNOWN', 'the change ended and is not in the history');
  if (entry.kind === 'cancel' && !cancels) throw adminError('CHANGE_UNDONE', entry.summary);
  return entry;
}

/** What the history says of the change that led to `generation` or, turned round, past it; null: nothing in time. */
async function outcome(
  proxy: Asked,
  generation: number,
  signal: AbortSignal | undefined,
): Promise<HistoryEntry | null> {
  const deadline = Date.now() + OUTCOME_MS;
  for (;;) {
    const entry = (await proxy.history()).at(-1);
    if (entry !== undefined && entry.generation >= generation) return entry;
    if (Date.now() > deadline) return null;
    await delay(POLL_MS, undefined, { signal });
  }
}
