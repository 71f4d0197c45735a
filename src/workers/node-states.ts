/** Each worker notices by itself that a node is gone or back: it is news when the first one notices, or the last. */
export class NodeStates {
  /** Workers that do not reach a node, by its name and address. */
  readonly #down = new Map<string, Set<number>>();

  isNews(worker: number, channel: string, event: object): boolean {
    if (channel !== 'ringproxy:upstream:down' && channel !== 'ringproxy:upstream:up') return true;
    const identity = `${String(Reflect.get(event, 'node'))}\n${String(Reflect.get(event, 'address'))}`;
    const workers = this.#down.get(identity) ?? new Set<number>();
    this.#down.set(identity, workers);
    if (channel === 'ringproxy:upstream:down') {
      workers.add(worker);
      return workers.size === 1;
    }
    return workers.delete(worker) && workers.size === 0;
  }

  forget(worker: number): void {
    for (const workers of this.#down.values()) workers.delete(worker);
  }
}
