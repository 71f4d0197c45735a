/**
 * The machine's clock that runs evenly (CLOCK_MONOTONIC), in milliseconds: the same for all processes of the machine,
 * so that one can tell another until when something holds; `performance.now()` counts from each process' start.
 */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * By how much the clock of the day is ahead of the one that runs evenly, in milliseconds. It jumps when the machine was
 * suspended, while the even clock stood still and the rest of the world went on; and when somebody sets the clock.
 */
export function clockShift(): number {
  return Date.now() - monotonicNow();
}
