/** Keys that went from one node to another since the start. */
export interface MovedKeys {
  readonly source: string;
  readonly target: string;
  keys: number;
}

export class MoveTotals {
  readonly #routes = new Map<string, MovedKeys>();

  get entries(): Iterable<MovedKeys> {
    return this.#routes.values();
  }

  count(source: string, target: string, keys: number): void {
    const identity = `${source}\n${target}`;
    const moved = this.#routes.get(identity) ?? { source, target, keys: 0 };
    moved.keys += keys;
    this.#routes.set(identity, moved);
  }
}
