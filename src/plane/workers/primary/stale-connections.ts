/**
 * In the primary: connections on which commands may still lie at the nodes. Before keys move, the nodes have dropped
 * them: those of living workers that ended with commands in flight, and whatever a worker that died has left.
 */
import type { NodeEndpoint } from '../../../node/endpoint.js';
import { unlessNobodyListens } from '../../../node/failure.js';
import { nodeKey } from '../../../node/identity.js';
import type { LateConnection, LateKiller } from '../../../rebalance/connections.js';

export interface StaleConnectionsOptions {
  readonly killLate: LateKiller;
  /** Makes the nodes drop connections with these names. @throws Error when one cannot be asked */
  readonly killNamed: (nodes: readonly NodeEndpoint[], isGone: (name: string) => boolean) => Promise<void>;
}

export class StaleConnections {
  readonly #options: StaleConnectionsOptions;
  readonly #late = new Map<string, LateConnection>();
  /** What workers that died had called their connections. */
  readonly #deadNames = new Set<string>();
  /** Which of these names a node has dropped, by node. */
  readonly #dropped = new Map<string, Set<string>>();

  constructor(options: StaleConnectionsOptions) {
    this.#options = options;
  }

  /** Living workers say that these ended with commands in flight. */
  addLate(late: readonly LateConnection[]): void {
    for (const connection of late) this.#late.set(keyOfLate(connection), connection);
  }

  /** A worker has died. @param name of its connections at the nodes */
  addDead(name: string): void {
    this.#deadNames.add(name);
  }

  /**
   * Makes these nodes drop what they have of them. When it returns, nothing of theirs runs there any more.
   * @param onDropped told of those of living workers that are gone, also when it throws
   * @throws Error when a node that has some cannot be asked
   */
  async drop(nodes: readonly NodeEndpoint[], onDropped: (late: readonly LateConnection[]) => void): Promise<void> {
    const dropped: LateConnection[] = [];
    try {
      await this.#options.killLate(nodes, [...this.#late.values()], (late) => {
        dropped.push(late);
        this.#late.delete(keyOfLate(late));
      });
    } finally {
      onDropped(dropped);
    }
    for (const node of nodes) await this.#dropDead(node);
  }

  async #dropDead(node: NodeEndpoint): Promise<void> {
    const key = nodeKey(node);
    const known = this.#dropped.get(key) ?? new Set<string>();
    const gone = [...this.#deadNames].filter((name) => !known.has(name));
    if (gone.length === 0) return;
    await unlessNobodyListens(this.#options.killNamed([node], (name) => gone.includes(name)));
    for (const name of gone) known.add(name);
    this.#dropped.set(key, known);
  }
}

function keyOfLate({ node, address, id }: LateConnection): string {
  return `${nodeKey({ name: node, address })}\n${id}`;
}
