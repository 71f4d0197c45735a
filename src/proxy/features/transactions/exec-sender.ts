/** Sends a transaction to its node in one piece, and sees to what is to be done once it has run. */
import type { Command } from '../../../commands/command.js';
import { request as encodeRequest } from '../../../resp/encode.js';
import type { KeyMoves } from '../../key-moves.js';
import type { Peers } from '../../peers/peers.js';
import { KNOWN_KEY, NO_KEYS_AT_ALL, type Request, UNKNOWN_KEYS } from '../../request/request.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import { type Aftermath, ExecReplies } from './exec-replies.js';
import { OtherNodes } from './other-nodes.js';
import { answerHere, concernsOthers, withElements } from './own-answers.js';
import type { TransactionPorts } from './ports.js';
import type { Transaction } from './transaction.js';

const MULTI = Buffer.from(encodeRequest(['MULTI']));
const EXEC = Buffer.from(encodeRequest(['EXEC']));

export class ExecSender {
  readonly #router: Router;
  readonly #peers: Peers | null;
  readonly #ports: TransactionPorts;

  /** @param peers null: there are no other processes */
  constructor(router: Router, peers: Peers | null, ports: TransactionPorts) {
    this.#router = router;
    this.#peers = peers;
    this.#ports = ports;
  }

  /** @param moves of which no key is in flight until the transaction has run; null: they need not be held */
  send(client: ClientConnection, command: Command, transaction: Transaction, lane: Lane, moves: KeyMoves | null): void {
    const { requests, clock } = this.#router.shared;
    const { scripts } = this.#ports;
    const { frames, selects, everywhere } = transaction;
    const changesBack = followKind(client, lane);
    const execRequest = client.begin(command.id);
    const hasMore = everywhere.length > 0 || transaction.answeredHere.length > 0;
    const aftermath = hasMore ? this.#aftermathOf(client, transaction, lane, moves) : null;
    const replies = new ExecReplies(client, execRequest, requests, frames.count + 1, transaction, aftermath);
    scripts.loadFor(transaction.digests, lane);
    let bytes = MULTI.length + EXEC.length;
    lane.outlet.append(MULTI, 0, MULTI.length);
    for (const piece of frames.take()) {
      bytes += piece.length;
      lane.outlet.appendOwned(piece);
    }
    lane.outlet.append(EXEC, 0, EXEC.length);
    lane.node.counters.bytesOut += bytes;
    // One for all replies but the last: there may be millions.
    const request = requests.take();
    request.lane = lane;
    request.answerTo(replies);
    request.startedAt = clock.now;
    request.command = command.id;
    // EXEC's own reply stands behind it, and is waited for.
    request.keys = NO_KEYS_AT_ALL;
    lane.enqueue(request);
    execRequest.lane = lane;
    noteKeys(execRequest, transaction);
    if (transaction.runsCode) execRequest.runsCode = true;
    lane.enqueue(execRequest);
    if (transaction.flushesScripts) scripts.flush();
    if (selects.length > 0) {
      // Others use the lane as well; what this client does next goes by other lanes, when it is known which.
      client.raiseBarrier();
      lane.ask(selectFrame(lane.kind.database), null, NO_KEYS_AT_ALL);
    } else if (changesBack) {
      lane.ask(selectFrame(lane.kind.database), null, NO_KEYS_AT_ALL);
      lane.ask(helloFrame(lane.kind.protocol), null, NO_KEYS_AT_ALL);
    }
  }

  /**
   * When the transaction has run: what concerns every node goes to the others, keys that were held still for it move
   * again, and what the proxy answers is carried out.
   */
  #aftermathOf(
    client: ClientConnection,
    { everywhere, ownParts, answeredHere }: Transaction,
    own: Lane,
    moves: KeyMoves | null,
  ): Aftermath {
    const { requests, clock, options } = this.#router.shared;
    const { runLocal } = this.#ports;
    const { protocol } = client.kind;
    return {
      onRun: (reply, answer) => {
        const others = new OtherNodes(everywhere, requests, (errors) => {
          for (const run of ownParts) run();
          moves?.releaseMoves();
          const elements = new Map(errors);
          if (!client.closed) {
            for (const one of answeredHere) {
              elements.set(one.at, answerHere(runLocal, options.maxBulkLength, client, one));
            }
          }
          const finish = (): void => answer(withElements(reply, elements));
          // Whoever has EXEC's answer finds the other processes' clients paused, too.
          if (this.#peers === null || !answeredHere.some(({ command }) => concernsOthers(command))) return finish();
          void this.#peers.ask({ type: 'caught-up' }).then(finish);
        });
        const nodes = this.#router.nodes.filter((node) => node !== own.node);
        others.send(nodes, protocol, clock.now);
      },
      onFailed: () => moves?.releaseMoves(),
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

/** The client has changed its protocol or database since it watches on this lane. @returns whether it has */
function followKind(client: ClientConnection, lane: Lane): boolean {
  const { protocol, database } = client.kind;
  if (lane.kind.protocol === protocol && lane.kind.database === database) return false;
  lane.ask(helloFrame(protocol), null, NO_KEYS_AT_ALL);
  lane.ask(selectFrame(database), null, NO_KEYS_AT_ALL);
  return true;
}

function selectFrame(database: number): Buffer {
  return Buffer.from(encodeRequest(['SELECT', String(database)]));
}

function helloFrame(protocol: number): Buffer {
  return Buffer.from(encodeRequest(['HELLO', String(protocol)]));
}
