/**
 * What is to be done once a transaction has run: what concerns every node goes to those that it did not run on, keys
 * that were held still for it move again, and what the proxy answers is carried out.
 */
import type { KeyMoves } from '../../key-moves.js';
import type { Peers } from '../../peers/peers.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { ClientShared } from '../../session/session-shared.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { OtherNodes } from './other-nodes.js';
import { answerHere, concernsOthers } from './own-answers.js';
import type { TransactionPorts } from './ports.js';
import type { Transaction } from './transaction.js';

/** By their commands' positions in the queue: what stands there in EXEC's reply, unless the node has an error there. */
export type Elements = ReadonlyMap<number, Buffer>;

/** Whether anything is to be done. */
export function hasMore({ everywhere, answeredHere }: Transaction): boolean {
  return everywhere.length > 0 || answeredHere.length > 0;
}

export class AfterRun {
  readonly #shared: ClientShared;
  readonly #peers: Peers | null;
  readonly #runLocal: TransactionPorts['runLocal'];

  /** @param peers null: there are no other processes */
  constructor(shared: ClientShared, peers: Peers | null, runLocal: TransactionPorts['runLocal']) {
    this.#shared = shared;
    this.#peers = peers;
    this.#runLocal = runLocal;
  }

  /**
   * @param others the nodes that it did not run on
   * @param moves of which no key is in flight until then; null: they need not be held
   * @param done called when all of it is done
   */
  carryOut(
    client: ClientConnection,
    { everywhere, ownParts, answeredHere }: Pick<Transaction, 'everywhere' | 'ownParts' | 'answeredHere'>,
    others: readonly UpstreamNode[],
    moves: KeyMoves | null,
    done: (elements: Elements) => void,
  ): void {
    const { requests, clock, options } = this.#shared;
    const { protocol } = client.kind;
    new OtherNodes(everywhere, requests, (errors) => {
      for (const run of ownParts) run();
      moves?.releaseMoves();
      const elements = new Map(errors);
      if (!client.closed) {
        for (const one of answeredHere) {
          elements.set(one.at, answerHere(this.#runLocal, options.maxBulkLength, client, one));
        }
      }
      // Whoever has EXEC's answer finds the other processes' clients paused, too.
      if (this.#peers === null || !answeredHere.some(({ command }) => concernsOthers(command))) return done(elements);
      void this.#peers.ask({ type: 'caught-up' }).then(() => done(elements));
    }).send(others, protocol, clock.now);
  }
}
