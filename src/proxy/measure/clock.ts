/**
 * The time as the data plane sees it: read once when a chunk arrives, since reading the clock for every
 * command of a pipeline would cost more than finding its owner.
 */
export class Clock {
  /** Milliseconds from an arbitrary start, with fractions; never goes back. */
  now = performance.now();

  read(): number {
    this.now = performance.now();
    return this.now;
  }
}
