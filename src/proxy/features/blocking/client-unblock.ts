/** CLIENT UNBLOCK: ends the wait of another client's command, which may be one of another process. */

import { integer } from '../../../resp/encode.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args } from '../../../resp/request-framer.js';
import type { Peers, UnblockMode } from '../../peers/peers.js';
import { TAKEN } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerLater } from '../../session/later.js';
import type { Waiting } from '../../session/waiting.js';
import { answer, answerError, argumentTexts } from '../../session/words.js';
import type { LocalCommand } from '../local-command.js';
import { unblockFor, unblockOnce } from './unblock.js';

export class ClientUnblock {
  readonly #clients: Iterable<ClientConnection>;
  readonly #peers: Peers | null;

  /**
   * @param clients those of this process
   * @param peers null: there are no other processes
   */
  constructor(clients: Iterable<ClientConnection>, peers: Peers | null) {
    this.#clients = clients;
    this.#peers = peers;
  }

  readonly run: LocalCommand = (client, command, framer) => {
    const mode = argumentTexts(framer)[3]?.toUpperCase() ?? 'TIMEOUT';
    if (framer.argc > 4 || (mode !== 'TIMEOUT' && mode !== 'ERROR')) {
      return answerError(client, command, 'ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
    }
    const id = parseStrictInteger(framer.source, args.start[2] as number, args.end[2] as number);
    if (Number.isNaN(id)) return answerError(client, command, 'ERR value is not an integer or out of range');
    const found = this.#waitingOf(id);
    if (found === undefined && this.#peers !== null) {
      return answerLater(client, command, this.#peers.ask({ type: 'unblock', client: id, mode }), (answers) =>
        integer(answers.includes(1) ? 1 : 0),
      );
    }
    if (found === undefined || found === null) return answer(client, command, integer(0));
    const lane = found.endWait(mode);
    if (lane === null) return answer(client, command, integer(1));
    // The node knows whether the command waits still: its answer is the answer.
    if (!unblockFor(client, command, lane, mode)) return answer(client, command, integer(0));
    return TAKEN;
  };

  /** Ends the wait of a client of this process. @returns whether there was one to end */
  async endWaitOf(id: number, mode: UnblockMode): Promise<boolean> {
    const found = this.#waitingOf(id);
    if (found === undefined || found === null) return false;
    const lane = found.endWait(mode);
    return lane === null || unblockOnce(lane, mode);
  }

  /** @returns null when the client does not wait; undefined when there is no such client */
  #waitingOf(id: number): Waiting | null | undefined {
    for (const candidate of this.#clients) if (candidate.id === id) return candidate.blocked;
    return undefined;
  }
}
