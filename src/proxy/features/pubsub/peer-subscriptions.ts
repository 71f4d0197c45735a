/**
 * What the proxy's other processes are about to subscribe to. They may have a SUBSCRIBE that came before a PUBLISH here
 * and not have read it yet, so they are asked: one question at a time for each node, for all that waits by then.
 */
import type { Peers } from '../../peers/peers.js';
import type { SubscriptionBoard } from '../../peers/subscription-board.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

/** Who waits for the next question about a node. */
interface Round {
  readonly waiting: (() => void)[];
}

export class PeerSubscriptions {
  readonly #peers: Peers;
  readonly #board: SubscriptionBoard;
  /** Nodes that the others are being asked about, with those who came too late for that question. */
  readonly #rounds = new Map<UpstreamNode, Round>();

  constructor(peers: Peers, board: SubscriptionBoard) {
    this.#peers = peers;
    this.#board = board;
  }

  /** Whether nodes are still to hear of what another process has read and subscribed to. */
  areBehind(): boolean {
    return this.#board.othersAreBehind();
  }

  /**
   * Settles when the node has heard of all that clients have subscribed to at the others by now; a process that does
   * not answer soon is left out.
   */
  keptUp(node: UpstreamNode): Promise<void> {
    return new Promise((resolve) => {
      const round = this.#rounds.get(node);
      if (round !== undefined) {
        round.waiting.push(resolve);
        return;
      }
      const first: Round = { waiting: [resolve] };
      this.#rounds.set(node, first);
      // With it goes what others publish in this turn.
      queueMicrotask(() => this.#ask(node, first));
    });
  }

  #ask(node: UpstreamNode, { waiting }: Round): void {
    const next: Round = { waiting: [] };
    this.#rounds.set(node, next);
    void this.#peers.ask({ type: 'heard', node: node.name, address: node.address }).then(() => {
      for (const resolve of waiting) resolve();
      if (next.waiting.length > 0) this.#ask(node, next);
      else this.#rounds.delete(node);
    });
  }
}
