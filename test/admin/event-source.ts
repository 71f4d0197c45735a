type Listener = (channel: string, event: object) => void;

/** Events that a test publishes, and how many listen to them. */
export class EventSource {
  readonly #listeners = new Set<Listener>();

  get count(): number {
    return this.#listeners.size;
  }

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  publish(channel: string, event: object): void {
    for (const listener of this.#listeners) listener(channel, event);
  }
}
