/** Keys that went from one node to another since the start. */
export interface MovedKeys {
  readonly source: string;
  readonly target: string;
  keys: number;
}

export class MoveTotals {
  readonly #routes = new Map<string, MovedKeys>();
  /** Estimated. */
  bytes = 0;

  get entries(): Iterable<MovedKeys> {
    return this.#routes.values();
  }

  count(source: string, target: string, keys: number, bytes: number): void {
    this.bytes += bytes;
    const identity = `${source}\n${target}`;
    const moved = this.#routes.get(identity) ?? { source, target, keys: 0 };
    moved.keys += keys;
    this.#routes.set(identity, moved);
  }
}
