import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the event loop's delay is sampled. */
const RESOLUTION_MS = 20;

/** By how much the event loop is late: measured by the second, and not reset by whoever reads it, since several may. */
export class LoopLag {
  readonly #delay: IntervalHistogram;
  readonly #timer: NodeJS.Timeout;
  #seconds = 0;

  constructor() {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#timer = setInterval(() => {
      this.#seconds = this.#delay.count === 0 ? 0 : Math.max(0, this.#delay.mean / 1e6 - RESOLUTION_MS) / 1000;
      this.#delay.reset();
    }, 1000);
    this.#timer.unref();
  }

  /** Seconds, on average in the last second. */
  get seconds(): number {
    return this.#seconds;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}
