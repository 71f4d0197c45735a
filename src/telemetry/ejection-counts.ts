/** Counts how often each node was ejected, as it is told. */
import { onEvents } from './subscribers.js';

const EJECTED = 'ringproxy:node:ejected';

export class EjectionCounts {
  readonly #counts = new Map<string, number>();

  /** Counts from now on. @returns what ends it */
  listen(): () => void {
    return onEvents(
      (_channel, event) => {
        const { node }: { readonly node?: unknown } = event;
        if (typeof node === 'string') this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1);
      },
      [EJECTED],
    );
  }

  /** By the node's name. */
  read(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
