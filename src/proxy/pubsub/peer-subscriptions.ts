/**
 * What the proxy's other processes are about to subscribe to. Whether there is anything, the board tells at once; only
 * then are they asked, once a turn for all that is published then.
 */
import type { HeardQuestion, Peers } from '../peers/peers.js';
import type { SubscriptionBoard } from '../peers/subscription-board.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import type { Published } from './publish-order.js';

export class PeerSubscriptions {
  readonly #peers: Peers;
  readonly #board: SubscriptionBoard;
  #asked: { readonly about: HeardQuestion; readonly resolve: () => void }[] = [];

  constructor(peers: Peers, board: SubscriptionBoard) {
    this.#peers = peers;
    this.#board = board;
  }

  /** Whether nodes are still to hear of something that another process has subscribed to. */
  areBehind(): boolean {
    return this.#board.othersAreBehind();
  }

  /**
   * Settles when the node has heard of what the others have subscribed to and concerns these channels; one of them
   * that does not answer soon is left out.
   * @param published null: all channels
   */
  keptUp(node: UpstreamNode, published: readonly Published[] | null): Promise<void> {
    return new Promise((resolve) => {
      if (this.#asked.length === 0) setImmediate(() => this.#send());
      this.#asked.push({ about: { node: node.name, address: node.address, published }, resolve });
    });
  }

  #send(): void {
    const asked = this.#asked;
    this.#asked = [];
    void this.#peers.ask({ type: 'heard', about: asked.map(({ about }) => about) }).then(() => {
      for (const { resolve } of asked) resolve();
    });
  }
}
