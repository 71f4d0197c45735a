import { monotonicNow } from '../../../time/monotonic.js';

/** The two clocks of a machine, in milliseconds. */
export interface Clock {
  /** Runs evenly: see `monotonicNow`. */
  monotonic(): number;
  /** Of the day; somebody may set it. */
  wall(): number;
}

export const systemClock: Clock = { monotonic: monotonicNow, wall: () => Date.now() };
