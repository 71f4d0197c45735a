/** MULTI, EXEC, DISCARD, WATCH and UNWATCH, and what clients have queued and watch meanwhile. */
import type { Command } from '../../../commands/command.js';
import { OK } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { Peers } from '../../peers/peers.js';
import type { Verdict } from '../../request/verdict.js';
import { TAKEN } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { ClientStates } from '../../session/client-states.js';
import { IN_TRANSACTION } from '../../session/modes.js';
import { answerError } from '../../session/words.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { LocalCommand } from '../local-command.js';
import { Exec } from './exec.js';
import type { TransactionPorts } from './ports.js';
import { Queue } from './queue.js';
import { Transaction } from './transaction.js';
import { Watches } from './watches.js';

/** What CLIENT LIST says of a client's transaction. */
export interface TransactionFigures {
  /** Commands that are queued; -1: the client is in no transaction. */
  readonly queued: number;
  /** What they take, about. */
  readonly bytes: number;
  /** Keys that it watches have changed hands. */
  readonly isBroken: boolean;
}

export class Transactions {
  readonly commands: Readonly<Record<'multi' | 'exec' | 'discard' | 'watch' | 'unwatch', LocalCommand>>;
  readonly #router: Router;
  readonly #open = new ClientStates<Transaction>(IN_TRANSACTION);
  readonly #watches: Watches;
  readonly #queue: Queue;
  readonly #exec: Exec;

  /** @param peers null: there are no other processes */
  constructor(router: Router, peers: Peers | null, ports: TransactionPorts) {
    this.#router = router;
    this.#watches = new Watches(router);
    this.#queue = new Queue(router, this.#watches, ports);
    this.#exec = new Exec(router, peers, this.#open, this.#watches, ports);
    this.commands = {
      multi: this.#multi,
      exec: this.#exec.run,
      discard: this.#discard,
      watch: this.#watches.watch,
      unwatch: this.#watches.unwatch,
    };
  }

  /** What the client has queued since MULTI; null: it is in no transaction. */
  of(client: ClientConnection): Transaction | null {
    return this.#open.get(client);
  }

  /** Queues the command that `framer` holds, or refuses it. @param transaction the client's */
  queue(client: ClientConnection, transaction: Transaction, command: Command, framer: RequestFramer): Verdict {
    return this.#queue.add(client, transaction, command, framer);
  }

  /** A command of the client was refused: if it is in a transaction, EXEC answers EXECABORT. */
  abort(client: ClientConnection): void {
    this.#open.get(client)?.abort();
  }

  /** EXEC was refused itself: as in Redis that ends the transaction. @param reason the error, as it would be otherwise */
  abortExec(client: ClientConnection, command: Command, reason: string): Verdict {
    return this.#exec.abort(client, command, reason);
  }

  /** Whether a command that the client has queued may write. */
  writes(client: ClientConnection): boolean {
    return this.#open.get(client)?.writes === true;
  }

  figuresOf(client: ClientConnection): TransactionFigures {
    const transaction = this.#open.get(client);
    const isBroken = this.#watches.of(client)?.isBroken === true;
    if (transaction === null) return { queued: -1, bytes: 0, isBroken };
    return { queued: transaction.queued, bytes: transaction.bytes, isBroken };
  }

  /** There is another snapshot. @param nodes index-aligned with the snapshot's */
  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.#watches.onPublish(snapshot, nodes);
  }

  /** The client has left, or begins anew: nothing is queued or watched any more. */
  forget(client: ClientConnection): void {
    this.#open.delete(client);
    this.#watches.end(client, false);
  }

  readonly #multi: LocalCommand = (client, command) => {
    if (this.#open.get(client) !== null) return answerError(client, command, 'ERR MULTI calls can not be nested');
    this.#open.set(client, new Transaction(this.#router.shared.users.version));
    client.reply(command.id, OK);
    return TAKEN;
  };

  readonly #discard: LocalCommand = (client, command) => {
    if (this.#open.get(client) === null) return answerError(client, command, 'ERR DISCARD without MULTI');
    this.forget(client);
    client.reply(command.id, OK);
    return TAKEN;
  };
}
