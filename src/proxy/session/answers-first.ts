import type { PeerAnswer } from '../peers/peers.js';
import type { ClientConnection } from './client-connection.js';

type PeerAnswers = readonly (PeerAnswer | null)[];

/** For commands that run when the other processes have answered: they are offered again then. */
export class AnswersFirst {
  readonly #answers = new WeakMap<ClientConnection, PeerAnswers>();

  /** @returns null while the others are asked: the command of `client` is then offered again */
  of(client: ClientConnection, ask: () => Promise<PeerAnswers>): PeerAnswers | null {
    const answers = this.#answers.get(client);
    if (answers !== undefined) return answers;
    client.suspend();
    void ask().then((fresh) => {
      this.#answers.set(client, fresh);
      client.resumeSoon();
    });
    return null;
  }

  /** The client's next command asks anew. */
  forget(client: ClientConnection): void {
    this.#answers.delete(client);
  }
}
