import type { PeerAnswer } from '../peers/peers.js';
import type { ClientConnection } from './client-connection.js';

type PeerAnswers = readonly (PeerAnswer | null)[];

/** For commands that run when others have answered, such as the other processes: they are offered again then. */
export class AnswersFirst<Answers extends object = PeerAnswers> {
  readonly #answers = new WeakMap<ClientConnection, Answers>();

  /** @returns null while the others are asked: the command of `client` is then offered again */
  of(client: ClientConnection, ask: () => Promise<Answers>): Answers | null {
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
