import type { Outlet } from '../io/outlet.js';

/** For how long a client has taken nothing of what waits for it. */
export class StallWatch {
  readonly #outlet: Pick<Outlet, 'pending' | 'written'>;
  /** When it was seen to take something, or came, by the clock, and how much it had taken by then. */
  #since: number;
  #written = 0;

  /** @param now by the clock: a client that is seen for the first time while something waits for it has just come */
  constructor(outlet: Pick<Outlet, 'pending' | 'written'>, now: number) {
    this.#outlet = outlet;
    this.#since = now;
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
