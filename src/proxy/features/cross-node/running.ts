/** The commands of this process that take several steps, and are under way. */
export class Running {
  readonly #running = new Set<Promise<void>>();

  /** @param done settles when it has ended, and never rejects */
  add(done: Promise<void>): void {
    this.#running.add(done);
    void done.then(() => this.#running.delete(done));
  }

  /** Settles when all have ended that are under way now. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }
}
