/** Sends a transaction to its one node in one piece, and sees to what is to be done once it has run. */
import type { Command } from '../../../commands/command.js';
import type { KeyMoves } from '../../key-moves.js';
import { KNOWN_KEY, NO_KEYS_AT_ALL, type Request, UNKNOWN_KEYS } from '../../request/request.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import { type AfterRun, hasMore } from './after-run.js';
import { type Aftermath, ExecReplies } from './exec-replies.js';
import { withElements } from './own-answers.js';
import { sendPiece } from './piece.js';
import type { TransactionPorts } from './ports.js';
import type { Transaction } from './transaction.js';

export class ExecSender {
  readonly #router: Router;
  readonly #ports: TransactionPorts;
  readonly #afterRun: AfterRun;

  constructor(router: Router, ports: TransactionPorts, afterRun: AfterRun) {
    this.#router = router;
    this.#ports = ports;
    this.#afterRun = afterRun;
  }

  /** @param moves of which no key is in flight until the transaction has run; null: they need not be held */
  send(client: ClientConnection, command: Command, transaction: Transaction, lane: Lane, moves: KeyMoves | null): void {
    const { requests } = this.#router.shared;
    const { scripts } = this.#ports;
    const { frames, digests } = transaction;
    const selects = transaction.selects.length > 0;
    const exec = client.begin(command.id);
    const aftermath = hasMore(transaction) ? this.#aftermathOf(client, transaction, lane, moves) : null;
    const replies = new ExecReplies(client, exec, requests, frames.count + 1, transaction, aftermath);
    noteKeys(exec, transaction);
    if (transaction.runsCode) exec.runsCode = true;
    const piece = { lane, frames: frames.take(), digests, kind: client.kind, selects };
    sendPiece(piece, scripts, requests.take(), replies.before, exec);
    if (transaction.flushesScripts) scripts.flush();
    // Others use the lane as well; what this client does next goes by other lanes, when it is known which.
    if (selects) client.raiseBarrier();
  }

  #aftermathOf(client: ClientConnection, transaction: Transaction, own: Lane, moves: KeyMoves | null): Aftermath {
    return {
      onRun: (reply, answer) => {
        const others = this.#router.nodes.filter((node) => node !== own.node);
        this.#afterRun.carryOut(client, transaction, others, moves, (elements) => {
          this.#ports.logins.release(client);
          answer(withElements(reply, elements));
        });
      },
      onFailed: () => {
        this.#ports.logins.release(client);
        moves?.releaseMoves();
      },
    };
  }
}

/** What the fence is to know: only keys of one hash are told. */
function noteKeys(request: Request, { frames, flushesKeys }: Transaction): void {
  const { keyCount } = frames;
  if (keyCount === 0) {
    request.keys = flushesKeys ? UNKNOWN_KEYS : NO_KEYS_AT_ALL;
    return;
  }
  if (flushesKeys) return;
  const first = frames.hashAt(0);
  for (let i = 1; i < keyCount; i++) if (frames.hashAt(i) !== first) return;
  request.keys = KNOWN_KEY;
  request.keyHash = first;
}
