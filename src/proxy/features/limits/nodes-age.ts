import type { Clock } from '../../measure/clock.js';

/** The version is asked for so often: whoever knows it makes a report of it. Milliseconds. */
const ASK_AGAIN_MS = 1000;

/** Whether all nodes know what came with Redis 7: options of PEXPIRE. */
export class NodesAge {
  readonly #clock: Clock;
  readonly #oldestVersion: () => string;
  #askedAt = Number.NEGATIVE_INFINITY;
  #areNew = true;

  /** @param oldestVersion such as 7.0.15 */
  constructor(clock: Clock, oldestVersion: () => string) {
    this.#clock = clock;
    this.#oldestVersion = oldestVersion;
  }

  readonly areNew = (): boolean => {
    const { now } = this.#clock;
    if (now - this.#askedAt >= ASK_AGAIN_MS) {
      this.#askedAt = now;
      this.#areNew = Number.parseInt(this.#oldestVersion(), 10) >= 7;
    }
    return this.#areNew;
  };
}
