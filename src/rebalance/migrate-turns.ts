/** One MIGRATE at a time: it stops its source until the target answers, and two could wait for each other. */
export interface MigrateTurns {
  /** Waits for the turn. @returns what ends it */
  take(): Promise<() => void>;
}

/** The turns of one process. */
export class OwnTurns implements MigrateTurns {
  #last: Promise<void> = Promise.resolve();

  async take(): Promise<() => void> {
    const before = this.#last;
    let end: () => void = () => {};
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }
}
