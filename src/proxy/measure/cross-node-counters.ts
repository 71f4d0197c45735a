import { Histogram } from './histogram.js';

/**
 * What was done for a command whose keys are on several nodes.
 * - `transaction`: EXEC of a transaction over several nodes.
 * - `lend`: it ran at one node, to which others have lent their keys.
 * - `steps`: what it does to each node was done one after the other.
 * - `waiting`: it waits for the first of its keys.
 * - `refused`: an error.
 */
export const CROSS_NODE_WAYS = ['transaction', 'lend', 'steps', 'waiting', 'refused'] as const;
export type CrossNodeWay = (typeof CROSS_NODE_WAYS)[number];

export interface CrossNodeCounter {
  readonly command: string;
  readonly way: CrossNodeWay;
  readonly time: Histogram;
}

/** Commands whose keys are on several nodes. */
export class CrossNodeCounters {
  readonly #counters = new Map<string, CrossNodeCounter>();

  /** @param command its name in the command table @param milliseconds from the whole command to its whole reply */
  count(command: string, way: CrossNodeWay, milliseconds: number): void {
    const key = `${way} ${command}`;
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = { command, way, time: new Histogram() };
      this.#counters.set(key, counter);
    }
    counter.time.record(milliseconds);
  }

  entries(): Iterable<CrossNodeCounter> {
    return this.#counters.values();
  }
}
