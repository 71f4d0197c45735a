/** Who takes several steps with the same keys does so one after the other, instead of coming in between each other all the time. */
export class Turns {
  /** Settles when the last one that has asked for its turn has ended, and never rejects. */
  readonly #last = new Map<string, Promise<void>>();

  get isEmpty(): boolean {
    return this.#last.size === 0;
  }

  /** Whether somebody has a turn, or waits for one, with any of these names. */
  isTaken(names: Iterable<string>): boolean {
    for (const name of names) if (this.#last.has(name)) return true;
    return false;
  }

  /** Runs it when all have ended that have asked before for a turn with this name. */
  run<T>(name: string, run: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const result = before === undefined ? run() : before.then(run);
    const ended = result.then(settled, settled).then(() => {
      if (this.#last.get(name) === ended) this.#last.delete(name);
    });
    this.#last.set(name, ended);
    return result;
  }

  /** As `run`, with each of these names. */
  runWith<T>(names: Iterable<string>, run: () => Promise<T>): Promise<T> {
    // All of them ask in one order, so that no two wait for each other.
    const ordered = [...new Set(names)].sort();
    return ordered.reduceRight((next, name) => () => this.run(name, next), run)();
  }
}

function settled(): void {
  // Whoever has asked for the turn is told how it went, and nobody behind it.
}
