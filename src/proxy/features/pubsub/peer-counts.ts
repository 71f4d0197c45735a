/**
 * How many clients are behind the connections of the proxy's other processes, which a node counts as one subscriber
 * each. Asked for only where a node counts somebody else's connections, and once a turn for all that is asked then.
 */
import type { Peers, SubscribedQuestion } from '../../peers/peers.js';
import { add, NOBODY, type OtherCounts, type Others } from './other-counts.js';

export class PeerCounts implements OtherCounts {
  readonly isNobody = false;
  readonly #peers: Peers;
  #asked: { readonly about: SubscribedQuestion; readonly resolve: (others: Others) => void }[] = [];

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  /** @returns the sums over the other processes and proxies; a process that does not answer soon is left out */
  ask(about: SubscribedQuestion): Promise<Others> {
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
      let processes = NOBODY;
      let fleet = NOBODY;
      for (const answer of answers) {
        if (answer === null || typeof answer !== 'object') continue;
        if ('subscribed' in answer) processes = add(processes, answer.subscribed[index] ?? NOBODY);
        else if ('fleet' in answer) fleet = add(fleet, answer.fleet[index] ?? NOBODY);
      }
      resolve({ processes, fleet });
    }
  }
}
