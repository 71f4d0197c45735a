/**
 * What this proxy remembers of the keys that a change has moved, over the turns that it takes: `cancel` turns a change
 * round, and what has been settled before tells on which side each key is.
 *
 * Of a source whose keys other proxies have moved as well, it knows some that have left it, but not that others have not.
 */
import { type NodeIdentity, sameNode } from '../node/identity.js';
import { keyName } from './key-name.js';
import { SettledKeys } from './settled-keys.js';
import type { Place } from './trust.js';

/** With more of them nothing is known of a source's keys any more: a batch is some hundred keys, and fails with its node. */
const MOST_HALF = 100_000;
/** A place as the turn has it that goes the other way. */
const OTHER_WAY = { source: 'target', target: 'source', either: 'either', unknown: 'unknown' } as const;

export class MoveMemory {
  readonly settled = new SettledKeys();
  readonly #nodes: readonly NodeIdentity[];
  readonly #earlier: MoveMemory | null;
  /** Keys that were being moved when their node failed, by name: where they are, as long as they are not settled. */
  readonly #half = new Map<string, 'target' | 'either'>();
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

  /** The keys have come to their target, and are not settled yet: the source may have them as well. */
  noteCopied(source: number, database: number, keys: readonly Buffer[]): void {
    this.#noteHalf(source, database, keys, 'target');
  }

  /** The keys are at the source or at their target: nobody knows. */
  noteSent(source: number, database: number, keys: readonly Buffer[]): void {
    this.#noteHalf(source, database, keys, 'either');
  }

  /** Where the key is that this turn moves from `source` to `target`, and has not settled yet. */
  placeOf(source: number, target: number, database: number, key: Buffer): Place {
    if (!this.#knows(source)) return 'unknown';
    const half = this.#half.get(keyName(source, database, key));
    if (half !== undefined) return half;
    if (this.#earlier === null) return 'source';
    return OTHER_WAY[this.#earlier.#placeAtEnd(this.#nodes[target], this.#nodes[source], database, key)];
  }

  #knows(source: number): boolean {
    return this.#whole.has(source) && this.settled.exact;
  }

  /** Where the key was when this turn ended, which has moved it from `from` to `to` if it was not there yet. */
  #placeAtEnd(from: NodeIdentity | undefined, to: NodeIdentity | undefined, database: number, key: Buffer): Place {
    const source = this.#indexOf(from);
    if (this.settled.has(source, database, key, 0, key.length)) return 'target';
    return this.placeOf(source, this.#indexOf(to), database, key);
  }

  #noteHalf(source: number, database: number, keys: readonly Buffer[], place: 'target' | 'either'): void {
    for (const key of keys) {
      const name = keyName(source, database, key);
      // What was there once stays there until the key is settled.
      if (this.#half.get(name) !== 'target') this.#half.set(name, place);
    }
    if (this.#half.size > MOST_HALF) this.#whole.delete(source);
  }

  #indexOf(node: NodeIdentity | undefined): number {
    return node === undefined ? -1 : this.#nodes.findIndex((candidate) => sameNode(candidate, node));
  }
}
