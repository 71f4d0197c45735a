/** EXEC: the queued frames go to the one node that owns their keys now. */
import type { Command } from '../../../commands/command.js';
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
import type { LocalCommand } from '../local-command.js';
import { IN_CHANGE, ownerOf, SEVERAL } from './exec-owner.js';
import { ExecSender } from './exec-sender.js';
import type { TransactionPorts } from './ports.js';
import type { Transaction } from './transaction.js';
import type { Watch } from './watch.js';
import type { Watches } from './watches.js';

const ERROR_BYTE = 0x2d;
const EXECABORT = encodeError('EXECABORT Transaction discarded because of previous errors.');
const APART = encodeError(
  "EXECABORT Transaction discarded because of: CROSSSLOT Keys in request don't hash to the same node",
);
const SELECT_IN_CHANGE = encodeError(
  'TRYAGAIN the ring is changing, and keys of several databases cannot move together',
);

export class Exec {
  readonly #router: Router;
  readonly #open: ClientStates<Transaction>;
  readonly #watches: Watches;
  readonly #ports: TransactionPorts;
  readonly #sender: ExecSender;

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
    this.#sender = new ExecSender(router, peers, ports);
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
    const watch = this.#watches.of(client);
    if (watch !== null) {
      const verdict = this.#checkWatch(client, command, watch, snapshot);
      if (verdict !== null) return verdict;
    }
    if (transaction.frames.count === 0 && watch === null) return this.#finish(client, command, EMPTY_ARRAY);
    const owner = ownerOf(router, client, transaction, watch, snapshot);
    if (owner === WAIT) return LATER;
    if (owner === GAVE_UP) return this.#finish(client, command, GAVE_UP_REPLY);
    if (owner === IN_CHANGE) return this.#finish(client, command, SELECT_IN_CHANGE);
    if (owner === SEVERAL || (watch !== null && router.nodes[owner] !== watch.lane.node)) {
      return this.#finish(client, command, APART);
    }
    if (!this.#ports.scripts.find(client, transaction.digests)) return LATER;
    return this.#runAt(client, command, framer, transaction, watch, owner);
  };

  /** EXEC was refused itself: as in Redis that ends the transaction. @param reason the error, as it would be otherwise */
  abort(client: ClientConnection, command: Command, reason: string): Verdict {
    const reply = encodeError(`EXECABORT Transaction discarded because of: ${reason.replace(/^ERR /, '')}`);
    return this.#finish(client, command, reply);
  }

  /** Whether the watched keys are where they were watched. @returns the verdict when EXEC ends or waits here */
  #checkWatch(client: ClientConnection, command: Command, watch: Watch, snapshot: RoutingSnapshot): Verdict | null {
    const { lane } = watch;
    if (lane.closed && !lane.node.up) return this.#finish(client, command, lane.node.downReply);
    // Whether the keys were written to, nobody can tell any more.
    if (watch.broken || lane.closed || !watch.isInPlace(snapshot, this.#router.nodes)) {
      return this.#finish(client, command, nullArray(client.kind.protocol));
    }
    if (snapshot.moves !== null || !watch.moves(snapshot)) return null;
    // The fence is up: it is not known yet whether the keys will move.
    if (!this.#router.holdForRing(client)) return this.#finish(client, command, GAVE_UP_REPLY);
    return LATER;
  }

  #runAt(
    client: ClientConnection,
    command: Command,
    framer: RequestFramer,
    transaction: Transaction,
    watch: Watch | null,
    owner: number,
  ): Verdict {
    const router = this.#router;
    let lane: Lane | null;
    if (watch === null) {
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
    if (transaction.flushesKeys && isOfSeveralNodes && router.isFenced) {
      // Keys may begin to move before it has run everywhere.
      return router.holdForRing(client) ? LATER : this.#finish(client, command, GAVE_UP_REPLY);
    }
    const moves = transaction.flushesKeys && isOfSeveralNodes ? (router.snapshot?.moves ?? null) : null;
    if (moves !== null && !moves.holdMoves(client)) {
      return client.hold(router.waitsFor) ? LATER : this.#finish(client, command, GAVE_UP_REPLY);
    }
    if (this.#publishesTooEarly(client, framer, transaction, lane)) {
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

  /** Whether the node is still to hear of what was subscribed to before: the client then waits. */
  #publishesTooEarly(
    client: ClientConnection,
    framer: RequestFramer,
    { published, codePublishes }: Transaction,
    lane: Lane,
  ): boolean {
    if (published.length === 0 && !codePublishes) return false;
    if (!client.isBehindReads) {
      // A SUBSCRIBE that came before may be read later in this turn of the event loop.
      client.resumeSoon();
      return true;
    }
    return this.#ports.publishGate.mustWait(client, framer, lane.node, codePublishes ? null : published);
  }

  /** Answers EXEC here, and nothing remains of the transaction. */
  #finish(client: ClientConnection, command: Command, reply: Buffer): Verdict {
    this.#open.delete(client);
    this.#watches.end(client, false);
    if (reply[0] === ERROR_BYTE) return this.#router.refuse(client, command, reply);
    client.reply(command.id, reply);
    return TAKEN;
  }
}
