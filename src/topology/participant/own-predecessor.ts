/**
 * A proxy that starts while the store is out of reach goes on by the id that it had before, and nobody else drops the
 * connections of the process that had it: they bear the id of a member. On them commands may still lie.
 */
import { unlessNobodyListens } from '../../node/failure.js';
import { nodeKey } from '../../node/identity.js';
import type { Member } from '../state/ring-state.js';

export class OwnPredecessor {
  readonly #drop: (node: Member) => Promise<void>;
  /** Nodes that may still have connections of it. */
  readonly #left = new Set<string>();

  /** @param drop makes a node drop all connections that bear this proxy's id. @throws when it cannot be asked */
  constructor(drop: (node: Member) => Promise<void>) {
    this.#drop = drop;
  }

  /**
   * To be called before this process connects to nodes, or when it never will again. Those that cannot be asked are asked
   * before the next fence.
   */
  async dropAll(nodes: readonly Member[]): Promise<void> {
    for (const node of nodes) this.#left.add(nodeKey(node));
    await Promise.all(nodes.map((node) => this.#dropAt(node).catch(() => {})));
  }

  /** Nothing is left that would have to be asked before the next fence. */
  get isGone(): boolean {
    return this.#left.size === 0;
  }

  /**
   * To be called before a fence is acknowledged. Where something is left, connections of this process are dropped as
   * well, which bear the same id, and come anew.
   * @throws when a node cannot be asked that may have some
   */
  async dropRest(nodes: readonly Member[]): Promise<void> {
    for (const node of nodes) if (this.#left.has(nodeKey(node))) await this.#dropAt(node);
  }

  async #dropAt(node: Member): Promise<void> {
    await unlessNobodyListens(this.#drop(node));
    this.#left.delete(nodeKey(node));
  }
}
