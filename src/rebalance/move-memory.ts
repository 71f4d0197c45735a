/**
 * What is remembered of the keys that a change has moved, over the turns that it takes: `cancel` turns a change
 * round, and what has been settled before tells on which side each key is.
 */
import { type NodeIdentity, sameNode } from '../node/identity.js';
import { SettledKeys } from './settled-keys.js';
import type { Place } from './trust.js';

export class MoveMemory {
  readonly settled = new SettledKeys();
  readonly #nodes: readonly NodeIdentity[];
  readonly #earlier: MoveMemory | null;
  readonly #complete: boolean;

  /**
   * @param nodes as the indices of this turn number them
   * @param earlier the memory of the turn before
   * @param complete false: a proxy before this one has settled keys as well
   */
  constructor(nodes: readonly NodeIdentity[], earlier: MoveMemory | null, complete: boolean) {
    this.#nodes = nodes;
    this.#earlier = earlier;
    this.#complete = complete;
  }

  /** Where the key is that this turn moves from `source` to `target`, and has not settled yet. */
  placeOf(source: number, target: number, database: number, key: Buffer): Place {
    if (!this.#isExact) return 'unknown';
    if (this.#earlier === null) return 'source';
    return this.#earlier.#isAt(this.#nodes[source], this.#nodes[target], database, key) ? 'source' : 'target';
  }

  get #isExact(): boolean {
    return this.#complete && this.settled.exact && (this.#earlier === null || this.#earlier.#isExact);
  }

  /** Whether the key had come to `node` when this turn ended, which has moved it from `other` if it was not there yet. */
  #isAt(node: NodeIdentity | undefined, other: NodeIdentity | undefined, database: number, key: Buffer): boolean {
    if (this.settled.has(this.#indexOf(other), database, key, 0, key.length)) return true;
    return this.#earlier !== null && !this.#earlier.#isAt(other, node, database, key);
  }

  #indexOf(node: NodeIdentity | undefined): number {
    return node === undefined ? -1 : this.#nodes.findIndex((candidate) => sameNode(candidate, node));
  }
}
