/** A set that can be waited for until nothing is left in it. */
export class DrainingSet<T> extends Set<T> {
  #waiting: (() => void)[] = [];

  /** Settles when the set is empty, at once if it is. */
  drained(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  override delete(value: T): boolean {
    const deleted = super.delete(value);
    if (this.size === 0) this.#wake();
    return deleted;
  }

  override clear(): void {
    super.clear();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
