/** EXEC: where the queued frames run now, and what they wait for before they are sent there. */
import type { Command } from '../../../commands/command.js';
import { MINUS } from '../../../resp/bytes.js';
import { EMPTY_ARRAY, error as encodeError, nullArray } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { Peers } from '../../peers/peers.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { NOT_READY } from '../../route/replies.js';
import type { Router } from '../../route/router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { ClientStates } from '../../session/client-states.js';
import { answerError } from '../../session/words.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { LocalCommand } from '../local-command.js';
import { AfterRun } from './after-run.js';
import { apart, holdMoves, publishesTooEarly } from './before-exec.js';
import { IN_CHANGE, ownerOf, SEVERAL } from './exec-owner.js';
import { ExecSender } from './exec-sender.js';
import { OverNodes } from './nodes/over-nodes.js';
import type { TransactionPorts } from './ports.js';
import type { Transaction } from './transaction.js';
import type { Watched } from './watch.js';
import type { Watches } from './watches.js';

const EXECABORT = encodeError('EXECABORT Transaction discarded because of previous errors.');
const SELECT_IN_CHANGE = encodeError(
  'TRYAGAIN the ring is changing, and keys of several databases cannot move together',
);

export class Exec {
  readonly #router: Router;
  readonly #open: ClientStates<Transaction>;
  readonly #watches: Watches;
  readonly #ports: TransactionPorts;
  readonly #sender: ExecSender;
  readonly #overNodes: OverNodes;

  /**
   * @param peers null: there are no other processes
   * @param open the transactions of clients, from which EXEC takes its client's
   */
  constructor(
    router: Router,
    peers: Peers | null,
    open: ClientStates<Transaction>,
    watches: Watches,
    ports: TransactionPorts,
  ) {
    this.#router = router;
    this.#open = open;
    this.#watches = watches;
    this.#ports = ports;
    const afterRun = new AfterRun(router.shared, peers, ports.runLocal);
    this.#sender = new ExecSender(router, ports, afterRun);
    this.#overNodes = new OverNodes(router, watches, ports, afterRun);
  }

  readonly run: LocalCommand = (client, command, framer) => {
    const router = this.#router;
    const transaction = this.#open.get(client);
    if (transaction === null) return answerError(client, command, 'ERR EXEC without MULTI');
    const busy = transaction.refusedBy?.busy.reply ?? null;
    if (busy !== null) return this.abort(client, command, busy.toString('latin1', 1));
    if (transaction.aborted) return this.#finish(client, command, EXECABORT);
    const { snapshot } = router;
    if (snapshot === null) return this.#finish(client, command, NOT_READY);
    if (!router.bind(client)) return LATER;
    const watched = this.#watches.of(client);
    if (watched !== null) {
      const verdict = this.#checkWatches(client, command, watched, snapshot);
      if (verdict !== null) return verdict;
    }
    if (transaction.frames.count === 0 && watched === null) return this.#finish(client, command, EMPTY_ARRAY);
    const owner = ownerOf(router, client, transaction, watched, snapshot);
    if (owner === WAIT) return LATER;
    if (owner === GAVE_UP) return this.#finish(client, command, GAVE_UP_REPLY);
    if (owner === IN_CHANGE) return this.#finish(client, command, SELECT_IN_CHANGE);
    if (!this.#ports.scripts.find(client, transaction.digests)) return LATER;
    if (transaction.answeredHere.length > 0 && !this.#ports.logins.reserve(client, transaction.logins)) return LATER;
    const waitsItsTurn = watched !== null && this.#overNodes.isBusyWith(watched);
    if (owner !== SEVERAL && !waitsItsTurn) return this.#runAt(client, command, framer, transaction, watched, owner);
    const { crossNode } = client;
    if (crossNode === 'refuse') return this.#finish(client, command, apart(crossNode));
    return this.#runOver(client, command, framer, transaction, watched, snapshot);
  };

  /** EXEC was refused itself: as in Redis that ends the transaction. @param reason the error, as it would be otherwise */
  abort(client: ClientConnection, command: Command, reason: string): Verdict {
    const reply = encodeError(`EXECABORT Transaction discarded because of: ${reason.replace(/^ERR /, '')}`);
    return this.#finish(client, command, reply);
  }

  /** Whether the watched keys are where they were watched. @returns the verdict when EXEC ends or waits here */
  #checkWatches(
    client: ClientConnection,
    command: Command,
    watched: Watched,
    snapshot: RoutingSnapshot,
  ): Verdict | null {
    const { watches } = watched;
    const { nodes } = this.#router;
    // One that has left the ring, or is being given up, is not waited for: the keys are others' now, or will be.
    const isWaitedFor = (node: UpstreamNode): boolean => !node.up && !node.isGivenUp && nodes.includes(node);
    const down = watches.find(({ lane }) => lane.closed && isWaitedFor(lane.node));
    if (down !== undefined) return this.#finish(client, command, down.lane.node.downReply);
    // Whether the keys were written to, nobody can tell any more.
    if (watched.isVoid || !watches.every((watch) => watch.isInPlace(snapshot, nodes))) {
      return this.#finish(client, command, nullArray(client.kind.protocol));
    }
    if (snapshot.moves !== null || !watches.some((watch) => watch.moves(snapshot))) return null;
    // The fence is up: it is not known yet whether the keys will move.
    if (!this.#router.holdForRing(client)) return this.#finish(client, command, GAVE_UP_REPLY);
    return LATER;
  }

  /** @param watched on the node with this index only */
  #runAt(
    client: ClientConnection,
    command: Command,
    framer: RequestFramer,
    transaction: Transaction,
    watched: Watched | null,
    owner: number,
  ): Verdict {
    const router = this.#router;
    const watch = watched?.watches[0];
    let lane: Lane | null;
    if (watch === undefined) {
      lane = router.laneFor(client, owner);
      if (lane === null) return this.#finish(client, command, router.nodeAt(owner).downReply);
    } else {
      lane = watch.lane;
      if (client.pending > 0 && client.lanes.at(owner) !== lane) {
        client.raiseBarrier();
        return LATER;
      }
    }
    if (lane.full) {
      client.waitFor(lane);
      return LATER;
    }
    const isOfSeveralNodes = transaction.everywhere.length > 0 && router.nodes.length > 1;
    if (isOfSeveralNodes && client.pending > 0) {
      // What goes to other nodes goes by lanes that are not the client's own: it must not overtake what is in flight.
      client.raiseBarrier();
      return LATER;
    }
    const moves = isOfSeveralNodes ? holdMoves(router, client, transaction) : null;
    if (moves === WAIT) return LATER;
    if (moves === GAVE_UP) return this.#finish(client, command, GAVE_UP_REPLY);
    if (publishesTooEarly(this.#ports.publishGate, client, framer, transaction, lane.node)) {
      moves?.releaseMoves();
      return LATER;
    }
    this.#sender.send(client, command, transaction, lane, moves);
    // Nor must it, or what is done here, be overtaken by what the client sends next.
    if (isOfSeveralNodes || transaction.answeredHere.length > 0) client.raiseBarrier();
    this.#open.delete(client);
    this.#watches.end(client, true);
    return TAKEN;
  }

  #runOver(
    client: ClientConnection,
    command: Command,
    framer: RequestFramer,
    transaction: Transaction,
    watched: Watched | null,
    snapshot: RoutingSnapshot,
  ): Verdict {
    const outcome = this.#overNodes.run(client, command, framer, transaction, watched, snapshot);
    if (outcome === LATER) return LATER;
    if (outcome !== TAKEN) return this.#finish(client, command, outcome);
    this.#open.delete(client);
    return TAKEN;
  }

  /** Answers EXEC here, and nothing remains of the transaction. */
  #finish(client: ClientConnection, command: Command, reply: Buffer): Verdict {
    this.#open.delete(client);
    this.#watches.end(client, false);
    this.#ports.logins.release(client);
    if (reply[0] === MINUS) return this.#router.refuse(client, command, reply);
    client.reply(command.id, reply);
    return TAKEN;
  }
}
