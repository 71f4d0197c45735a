import type { RunningChange } from '../state/ring-state.js';

/** What is wanted of all sweeps of a change, by its record or by a person at this proxy. */
export interface Steering {
  readonly paused: boolean;
  /** Keys a second of all sources; 0: as fast as it goes. */
  readonly keysPerSecond: number;
  /** What is to begin nothing; null: all go on. */
  readonly held: 'sweep' | 'all' | null;
}

/** @returns what the record of a change wants */
export function steeringOf({
  phase,
  still,
  paused,
  throttle,
}: Pick<RunningChange, 'phase' | 'still' | 'paused' | 'throttle'>): Steering {
  const held = phase === 'turning' ? 'all' : still === true ? 'sweep' : null;
  return { paused: paused === true, keysPerSecond: throttle ?? 0, held };
}
