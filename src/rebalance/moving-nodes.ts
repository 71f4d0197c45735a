/** The connections that moving keys needs, and what may still be left of those that failed. */
import { type NodeEndpoint, serverOf, shownAddress } from '../node/endpoint.js';
import { NodeFailure } from '../node/failure.js';
import { sameNode } from '../node/identity.js';
import { request } from '../resp/encode.js';
import { type LinkOptions, NodeLink } from './node-link.js';
import { TransferRefused } from './transfer-refused.js';

export interface MoverNode extends NodeEndpoint {
  /** Where a source finds this node: `HOST:PORT`. */
  readonly peerAddress: string;
  /** Whether TLS is spoken there. */
  readonly peerTls?: boolean | undefined;
}

/**
 * The server processes between which keys move, as they were when the fence was passed: each by its run id; empty
 * where it is not known. A node with another one has been restarted since, and may hold what it had in the past.
 */
export type RunIds = readonly string[];

export interface MovingNodesOptions extends Omit<LinkOptions, 'onLate'> {
  /** Records a node that could not be asked at the fence. When it has settled, that survives this process. */
  readonly onFirstSeen: (index: number, runId: string) => Promise<void>;
  /** A node as it is reached now: another server may have taken its place. Default: as it was at the start. */
  readonly reachAnew?: (index: number) => MoverNode;
}

export class MovingNodes {
  readonly nodes: readonly MoverNode[];
  readonly #options: LinkOptions;
  readonly #runIds: string[];
  readonly #onFirstSeen: MovingNodesOptions['onFirstSeen'];
  readonly #reachAnew: MovingNodesOptions['reachAnew'];
  /** Of the process that each node was when it was connected to last; empty: not yet, or it does not say. */
  readonly #seen: string[];
  readonly #links = new Map<string, Promise<NodeLink>>();
  /** Connections that failed with commands in flight. */
  readonly #late = new Set<NodeLink>();
  /** Nodes that are given up, for now: what lies there is of no matter as long as they are. */
  #forgotten: ReadonlySet<number> = new Set();

  constructor(nodes: readonly MoverNode[], runIds: RunIds, { onFirstSeen, reachAnew, ...options }: MovingNodesOptions) {
    this.nodes = nodes;
    this.#runIds = nodes.map((_node, index) => runIds[index] ?? '');
    this.#seen = nodes.map(() => '');
    this.#onFirstSeen = onFirstSeen;
    this.#reachAnew = reachAnew;
    // A node that does not know CLIENT ID cannot be asked to drop one connection.
    this.#options = { ...options, onLate: (link) => link.connectionId >= 0 && this.#late.add(link) };
  }

  at(index: number): MoverNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return this.#reachAnew?.(index) ?? node;
  }

  nameOf(index: number): string {
    return this.nodes[index]?.name ?? '';
  }

  /**
   * @param purpose links of different purposes do not wait for each other
   * @throws NodeFailure when the node cannot be reached
   * @throws TransferRefused when it is the same server as another one
   */
  link(index: number, purpose: string): Promise<NodeLink> {
    const name = `${index} ${purpose}`;
    const known = this.#links.get(name);
    const link = known === undefined ? this.#open(index) : this.#openAgain(known, index);
    if (link !== known) this.#links.set(name, link);
    return link;
  }

  /** The links to both ends of a move, which are opened at the same time. @throws NodeFailure */
  pair(source: number, target: number, purpose: string): Promise<[NodeLink, NodeLink]> {
    return Promise.all([this.link(source, purpose), this.link(target, purpose)]);
  }

  /** Opens links that will be needed, so that the first who needs one does not wait for it. What fails is tried again then. */
  open(indices: Iterable<number>, purpose: string): void {
    for (const index of indices) this.link(index, purpose).catch(() => {});
  }

  /** Whether the process behind the link is another one than at the fence. */
  wasRestarted(index: number, { runId }: NodeLink): boolean {
    return runId !== '' && runId !== this.#runIds[index];
  }

  /** That of the node as it was at the fence; empty: it is not known. */
  runIdOf(index: number): string {
    return this.#runIds[index] ?? '';
  }

  /** There are connections on which commands may still lie. */
  get hasLate(): boolean {
    return this.#lateThatMatter.length > 0;
  }

  /**
   * Makes the nodes drop the connections on which commands may still lie: once they have, nothing of theirs runs.
   * @throws NodeFailure when a node cannot be asked
   */
  async dropLate(): Promise<void> {
    for (const late of this.#lateThatMatter) {
      const link = await this.#openIfAlive(late.node);
      // Otherwise the process that had the connection is gone; the next one counts its connections anew.
      if (link !== null && link.runId === late.runId) {
        await link
          .exchange([request(['CLIENT', 'KILL', 'ID', String(late.connectionId)])], 1, 0)
          .finally(() => link.close());
      } else link?.close();
      this.#late.delete(late);
    }
  }

  /**
   * What lies at these nodes does not matter, nor what comes to lie there, until other ones are named: nobody waits for
   * it. What is under way there fails.
   */
  forget(indices: readonly number[]): void {
    const before = this.#forgotten;
    this.#forgotten = new Set(indices);
    for (const [name, link] of this.#links) {
      const index = Number.parseInt(name, 10);
      if (!this.#forgotten.has(index) || before.has(index)) continue;
      void link.then(
        (open) => open.close(),
        () => {},
      );
    }
  }

  async close(): Promise<void> {
    const links = await Promise.allSettled(this.#links.values());
    this.#links.clear();
    for (const link of links) if (link.status === 'fulfilled') link.value.close();
  }

  get #lateThatMatter(): NodeLink[] {
    const forgotten = [...this.#forgotten].map((index) => this.at(index));
    return [...this.#late].filter((late) => !forgotten.some((node) => sameNode(node, late.node)));
  }

  /** @returns null when nobody listens there */
  async #openIfAlive(node: NodeEndpoint): Promise<NodeLink | null> {
    try {
      // The connection was to that server, whatever has become of the node.
      return await NodeLink.open(serverOf(node), this.#options);
    } catch (error) {
      if (error instanceof NodeFailure && error.nobodyListens) return null;
      throw error;
    }
  }

  async #open(index: number): Promise<NodeLink> {
    const link = await NodeLink.open(this.at(index), this.#options);
    const same = link.runId === '' ? -1 : this.#seen.findIndex((runId, at) => at !== index && runId === link.runId);
    // A failover may lead a node to where another one is.
    if (same >= 0) {
      link.close();
      throw TransferRefused.bySameServer(link, this.at(same));
    }
    this.#seen[index] = link.runId;
    if (this.#runIds[index] === '' && link.runId !== '') {
      await this.#onFirstSeen(index, link.runId);
      this.#runIds[index] = link.runId;
    }
    return link;
  }

  async #openAgain(known: Promise<NodeLink>, index: number): Promise<NodeLink> {
    const link = await known.catch(() => null);
    if (link === null || link.failure !== null) return this.#open(index);
    if (shownAddress(link.node) === shownAddress(this.at(index))) return link;
    link.close();
    return this.#open(index);
  }
}
