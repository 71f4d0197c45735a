import type { Outlet } from '../io/outlet.js';

/** For how long a client has taken nothing of what waits for it. */
export class StallWatch {
  readonly #outlet: Outlet;
  /** When it was seen to take something, by the clock, and how much it had taken by then. */
  #since = 0;
  #written = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** Called about once a second. @returns whether that is longer than these milliseconds by now */
  isLongerThan(milliseconds: number, now: number): boolean {
    const { pending, written } = this.#outlet;
    if (pending > 0 && written === this.#written) return now - this.#since > milliseconds;
    this.#since = now;
    this.#written = written;
    return false;
  }
}
