/**
 * The machine's clock that runs evenly (CLOCK_MONOTONIC), in milliseconds: the same for all processes of the machine,
 * so that one can tell another until when something holds; `performance.now()` counts from each process' start.
 */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
