/** What operators read of a change. */
import type { ChangeView, RingPhase } from '../../admin/api.js';
import type { MoveStatus } from '../jobs/job-status.js';
import type { RunningChange } from '../state/ring-state.js';
import type { Phase } from '../state/transitions.js';

/** @param job what moves the keys here, or null before they move */
export function describeChange(change: RunningChange, job: MoveStatus | null): ChangeView {
  const sources = job?.sources ?? [];
  const keysEstimated = job?.keysEstimated ?? 0;
  const keysMoved = sources.reduce((sum, source) => sum + source.keysMoved, 0);
  const keysScanned = sources.reduce((sum, source) => sum + source.keysScanned, 0);
  const seconds = job?.seconds ?? 0;
  const paused = job?.paused ?? false;
  // While something is in its way, nobody knows how long it takes.
  const error = job?.error ?? null;
  const done = sources.length > 0 && sources.every((source) => source.done);
  const part = done ? 1 : keysEstimated === 0 ? 0 : Math.min(0.999, keysScanned / keysEstimated);
  return {
    id: change.id,
    kind: change.kind,
    summary: change.summary,
    phase: shownPhase(change.phase),
    paused,
    startedAt: change.startedAt,
    keysMoved,
    keysScanned,
    keysEstimated,
    bytesMoved: job?.bytesMoved ?? 0,
    keysDropped: job?.keysDropped ?? change.keysDropped ?? 0,
    percent: Math.round(part * 1000) / 10,
    etaSeconds: part > 0 && !paused && error === null ? Math.round((seconds / part) * (1 - part)) : null,
    keysPerSecond: paused || seconds === 0 ? 0 : Math.round(keysMoved / seconds),
    throttle: job?.keysPerSecond ?? change.throttle ?? 0,
    sources: [...sources],
    error,
  };
}

/** Until it is decided that a change turns round, it is what it was. */
export function shownPhase(phase: Phase): RingPhase {
  return phase === 'turning' ? 'moving' : phase;
}
