/** The connections that moving keys needs, and what may still be left of those that failed. */
import { request } from '../resp/encode.js';
import { LinkFailure, type LinkOptions, type LinkTarget, NodeLink } from './node-link.js';

export interface MoverNode extends LinkTarget {
  /** Where a source finds this node: `HOST:PORT`. */
  readonly peerAddress: string;
}

export class MovingNodes {
  readonly nodes: readonly MoverNode[];
  readonly #options: LinkOptions;
  readonly #links = new Map<string, Promise<NodeLink>>();
  /** Connections that failed with commands in flight. */
  readonly #late = new Set<NodeLink>();

  constructor(nodes: readonly MoverNode[], options: Omit<LinkOptions, 'onLate'>) {
    this.nodes = nodes;
    // A node that does not know CLIENT ID cannot be asked to drop one connection.
    this.#options = { ...options, onLate: (link) => link.connectionId >= 0 && this.#late.add(link) };
  }

  at(index: number): MoverNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }

  /**
   * @param purpose links of different purposes do not wait for each other
   * @throws LinkFailure when the node cannot be reached
   */
  link(index: number, purpose: string): Promise<NodeLink> {
    const name = `${index} ${purpose}`;
    const known = this.#links.get(name);
    const link = known === undefined ? this.#open(index) : this.#openAgain(known, index);
    if (link !== known) this.#links.set(name, link);
    return link;
  }

  /**
   * Makes the nodes drop the connections on which commands may still lie: once they have, nothing of theirs runs.
   * @throws LinkFailure when a node cannot be asked
   */
  async dropLate(): Promise<void> {
    for (const late of [...this.#late]) {
      const link = await this.#openIfAlive(late.node);
      // The process that had the connection is gone.
      if (link !== null) {
        await link
          .exchange([request(['CLIENT', 'KILL', 'ID', String(late.connectionId)])], 1, 0)
          .finally(() => link.close());
      }
      this.#late.delete(late);
    }
  }

  /** What still lies at these nodes does not matter any more. */
  forget(indices: readonly number[]): void {
    for (const late of [...this.#late])
      if (indices.some((index) => this.at(index) === late.node)) this.#late.delete(late);
  }

  async close(): Promise<void> {
    const links = await Promise.allSettled(this.#links.values());
    this.#links.clear();
    for (const link of links) if (link.status === 'fulfilled') link.value.close();
  }

  /** @returns null when nobody listens there */
  async #openIfAlive(node: LinkTarget): Promise<NodeLink | null> {
    try {
      return await NodeLink.open(node, this.#options);
    } catch (error) {
      if (error instanceof LinkFailure && error.refused) return null;
      throw error;
    }
  }

  #open(index: number): Promise<NodeLink> {
    return NodeLink.open(this.at(index), this.#options);
  }

  async #openAgain(known: Promise<NodeLink>, index: number): Promise<NodeLink> {
    const link = await known.catch(() => null);
    return link === null || link.failure !== null ? this.#open(index) : link;
  }
}
