/**
 * Whether a node lets connections in, and answers no command on them: probes need not see that, and each connection that
 * is made anew looks like a recovery.
 */
export class Unanswered {
  readonly #publish: (reason: string) => void;
  /** When a command had no answer in time for the first time since the node has answered one. By the clock, as all here. */
  #since = 0;
  #last = Number.NEGATIVE_INFINITY;
  /** How many commands it had answered by then. */
  #answered = -1;
  #isTold = false;

  /** @param publish is given what is wrong, once it is certain, and an empty text when that is over */
  constructor(publish: (reason: string) => void) {
    this.#publish = publish;
  }

  /**
   * A command had no answer in time.
   * @param answered how many commands the node has answered so far
   * @param timeout milliseconds that it was given
   */
  noteTimeout(answered: number, timeout: number, now: number): void {
    if (answered !== this.#answered || now - this.#last > lastsFor(timeout)) {
      this.#end();
      this.#answered = answered;
      this.#since = now;
    }
    this.#last = now;
    // One that was sent since then, on a connection that was made since, has had no answer either.
    if (this.#isTold || now - this.#since < timeout) return;
    this.#isTold = true;
    this.#publish(`UNANSWERED it lets connections in, and answers no command on them within ${timeout} ms`);
  }

  /** Called about ten times a second. */
  tick(answered: number, timeout: number, now: number): void {
    if (this.#answered < 0) return;
    if (answered !== this.#answered || now - this.#last > lastsFor(timeout)) this.#end();
  }

  #end(): void {
    this.#answered = -1;
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#publish('');
  }
}

/** Without clients nothing is known of it after a while. Milliseconds. */
function lastsFor(timeout: number): number {
  return 3 * timeout + 5000;
}
