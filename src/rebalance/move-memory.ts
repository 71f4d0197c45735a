/**
 * What this proxy remembers of the keys that a change has moved, over the turns that it takes: `cancel` turns a change
 * round, and what has been settled before tells on which side each key is.
 *
 * Of a source whose keys other proxies have moved as well, it knows some that have left it, but not that others have not.
 */
import { type NodeIdentity, sameNode } from '../node/identity.js';
import { SettledKeys } from './settled-keys.js';
import type { Place } from './trust.js';

export class MoveMemory {
  readonly settled = new SettledKeys();
  readonly #nodes: readonly NodeIdentity[];
  readonly #earlier: MoveMemory | null;
  /** Sources of which this proxy alone has moved keys. */
  readonly #whole = new Set<number>();

  /**
   * @param nodes as the indices of this turn number them
   * @param earlier the memory of the turn before; null: there was none
   */
  constructor(nodes: readonly NodeIdentity[], earlier: MoveMemory | null) {
    this.#nodes = nodes;
    this.#earlier = earlier;
  }

  /** From now on this proxy moves the keys of the source, of which none has moved in this turn. */
  begin(source: number): void {
    this.#whole.add(source);
  }

  /** Another proxy moves, or may have moved, keys of the source as well. */
  share(source: number): void {
    this.#whole.delete(source);
  }

  /** Where the key is that this turn moves from `source` to `target`, and has not settled yet. */
  placeOf(source: number, target: number, database: number, key: Buffer): Place {
    if (!this.#knows(source)) return 'unknown';
    if (this.#earlier === null) return 'source';
    const isAtSource = this.#earlier.#isAt(this.#nodes[source], this.#nodes[target], database, key);
    if (isAtSource === null) return 'unknown';
    return isAtSource ? 'source' : 'target';
  }

  #knows(source: number): boolean {
    return this.#whole.has(source) && this.settled.exact;
  }

  /**
   * Whether the key had come to `node` when this turn ended, which has moved it from `other` if it was not there yet.
   * Null: that is not known.
   */
  #isAt(
    node: NodeIdentity | undefined,
    other: NodeIdentity | undefined,
    database: number,
    key: Buffer,
  ): boolean | null {
    const source = this.#indexOf(other);
    if (this.settled.has(source, database, key, 0, key.length)) return true;
    if (!this.#knows(source)) return null;
    if (this.#earlier === null) return false;
    const wasAtOther = this.#earlier.#isAt(other, node, database, key);
    return wasAtOther === null ? null : !wasAtOther;
  }

  #indexOf(node: NodeIdentity | undefined): number {
    return node === undefined ? -1 : this.#nodes.findIndex((candidate) => sameNode(candidate, node));
  }
}
