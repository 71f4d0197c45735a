/** A timer that is so late means that the process stood still. */
const STOOD_STILL_MS = 500;

/** Ends the wait for a node's greeting, in the time in which this process has listened. */
export class GreetingTimer {
  #timer: NodeJS.Timeout | null = null;
  readonly #extension: (waited: number) => number;
  readonly #onTimeout: (waited: number) => void;

  /**
   * @param extension for how much longer it is waited after so many milliseconds; 0: not at all
   * @param onTimeout told how long it was waited
   */
  constructor(extension: (waited: number) => number, onTimeout: (waited: number) => void) {
    this.#extension = extension;
    this.#onTimeout = onTimeout;
  }

  start(milliseconds: number): void {
    this.#wait(milliseconds, 0);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** @param waited for how long it was waited already, in milliseconds */
  #wait(milliseconds: number, waited: number): void {
    const since = performance.now();
    this.#timer = setTimeout(() => {
      // Timers run before sockets are read: that this process stood still is not the node's fault.
      const late = performance.now() - since - milliseconds;
      if (late > STOOD_STILL_MS) {
        this.#wait(Math.min(late, milliseconds), waited);
        return;
      }
      const total = waited + milliseconds;
      const more = this.#extension(total);
      if (more > 0) this.#wait(more, total);
      else this.#onTimeout(total);
    }, milliseconds);
  }
}
