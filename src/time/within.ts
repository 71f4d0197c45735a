import { systemTimers, type Timers } from './timers.js';

/** The work was not done in time. It goes on all the same. */
export const LATE = Symbol('late');

/**
 * Waits for the work, but no longer than so many milliseconds.
 * @returns what the work gives, or `LATE`
 * @throws what the work throws, if it does so in time
 */
export function within<T>(
  milliseconds: number,
  work: Promise<T>,
  timers: Pick<Timers, 'after'> = systemTimers,
): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const stop = timers.after(milliseconds, () => resolve(LATE));
    work.then(resolve, reject).finally(stop);
  });
}
