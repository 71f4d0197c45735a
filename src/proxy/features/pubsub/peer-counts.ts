/**
 * How many clients are behind the connections of the proxy's other processes, which a node counts as one subscriber
 * each. Asked for only where a node counts somebody else's connections, and once a turn for all that is asked then.
 */
import type { Peers, Subscribed, SubscribedQuestion } from '../../peers/peers.js';

export const NOBODY: Subscribed = { clients: 0, connections: 0 };

export class PeerCounts {
  readonly #peers: Peers;
  #asked: { readonly about: SubscribedQuestion; readonly resolve: (sum: Subscribed) => void }[] = [];

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  /** @returns the sum over the other processes; one that does not answer soon is left out */
  ask(about: SubscribedQuestion): Promise<Subscribed> {
    return new Promise((resolve) => {
      if (this.#asked.length === 0) setImmediate(() => void this.#send());
      this.#asked.push({ about, resolve });
    });
  }

  async #send(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    const answers = await this.#peers.ask({ type: 'subscribed', about: asked.map(({ about }) => about) });
    for (const [index, { resolve }] of asked.entries()) {
      let sum = NOBODY;
      for (const answer of answers) {
        if (answer !== null && typeof answer === 'object' && 'subscribed' in answer) {
          sum = add(sum, answer.subscribed[index] ?? NOBODY);
        }
      }
      resolve(sum);
    }
  }
}

function add(a: Subscribed, b: Subscribed): Subscribed {
  return { clients: a.clients + b.clients, connections: a.connections + b.connections };
}
