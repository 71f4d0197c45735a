/** EXEC: the queued frames go to the one node that owns their keys now. */
import type { Command } from '../../../commands/command.js';
import { EMPTY_ARRAY, error as encodeError, request as encodeRequest, nullArray } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { Dispatcher, Verdict } from '../../dispatcher.js';
import type { KeyMoves } from '../../key-moves.js';
import { PLAIN_CALL } from '../../request/code-call.js';
import { KNOWN_KEY, NO_KEYS_AT_ALL, type Request, UNKNOWN_KEYS } from '../../request/request.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import { type ClientConnection, LATER, TAKEN } from '../../session/client-connection.js';
import { answerError } from '../../session/words.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { LocalCommand } from '../index.js';
import { type Aftermath, ExecReplies } from './exec-replies.js';
import { OtherNodes } from './other-nodes.js';
import { answerHere, concernsOthers, withElements } from './own-answers.js';
import type { Transaction, Watch } from './transaction.js';
import { endWatch, sendQuietly } from './watch-lane.js';

const MULTI = Buffer.from(encodeRequest(['MULTI']));
const EXEC = Buffer.from(encodeRequest(['EXEC']));
const EXECABORT = encodeError('EXECABORT Transaction discarded because of previous errors.');
const NOT_READY = encodeError('NODEDOWN the ring has no nodes yet');
const APART = encodeError(
  "EXECABORT Transaction discarded because of: CROSSSLOT Keys in request don't hash to the same node",
);
const SELECT_IN_CHANGE = encodeError(
  'TRYAGAIN the ring is changing, and keys of several databases cannot move together',
);

export const exec: LocalCommand = (client, command, framer, dispatcher) => {
  const { transaction } = client;
  if (transaction === null) return answerError(client, command, 'ERR EXEC without MULTI');
  const busy = transaction.refusedBy?.busy.reply ?? null;
  if (busy !== null) return abortExec(client, command, dispatcher, busy.toString('latin1', 1));
  if (transaction.aborted) return finish(client, command, dispatcher, EXECABORT);
  const { snapshot } = dispatcher;
  if (snapshot === null) return finish(client, command, dispatcher, NOT_READY);
  if (!dispatcher.bind(client)) return LATER;
  const { watch } = client;
  if (watch !== null) {
    const verdict = checkWatch(dispatcher, client, command, watch, snapshot);
    if (verdict !== null) return verdict;
  }
  if (transaction.frames.count === 0 && watch === null) return finish(client, command, dispatcher, EMPTY_ARRAY);
  const owner = ownerOf(dispatcher, client, transaction, watch, snapshot);
  if (owner === WAIT) return LATER;
  if (owner === GAVE_UP) return finish(client, command, dispatcher, GAVE_UP_REPLY);
  if (owner === IN_CHANGE) return finish(client, command, dispatcher, SELECT_IN_CHANGE);
  if (owner === SEVERAL || (watch !== null && dispatcher.nodes[owner] !== watch.lane.node)) {
    return finish(client, command, dispatcher, APART);
  }
  if (!dispatcher.scripts.find(client, transaction)) return LATER;
  return run(dispatcher, client, command, framer, transaction, watch, owner);
};

/** EXEC was refused itself: as in Redis that ends the transaction. @param reason the error, as it would be otherwise */
export function abortExec(client: ClientConnection, command: Command, dispatcher: Dispatcher, reason: string): Verdict {
  const reply = encodeError(`EXECABORT Transaction discarded because of: ${reason.replace(/^ERR /, '')}`);
  return finish(client, command, dispatcher, reply);
}

/** The keys of the transaction have several owners. */
const SEVERAL = -3;
/** Keys move, and the transaction has keys of several databases. */
const IN_CHANGE = -4;

/** Whether the watched keys are where they were watched. @returns the verdict when EXEC ends or waits here */
function checkWatch(
  dispatcher: Dispatcher,
  client: ClientConnection,
  command: Command,
  watch: Watch,
  snapshot: RoutingSnapshot,
): Verdict | null {
  const { lane } = watch;
  if (lane.closed && !lane.node.up) return finish(client, command, dispatcher, lane.node.downReply);
  // Whether the keys were written to, nobody can tell any more.
  if (watch.broken || lane.closed || !watch.isInPlace(snapshot, dispatcher.nodes)) {
    return finish(client, command, dispatcher, nullArray(client.kind.protocol));
  }
  if (snapshot.moves !== null || !watch.moves(snapshot)) return null;
  // The fence is up: it is not known yet whether the keys will move.
  if (!dispatcher.holdForRing(client)) return finish(client, command, dispatcher, GAVE_UP_REPLY);
  return LATER;
}

/** @returns the index of the node, or WAIT, GAVE_UP, SEVERAL, IN_CHANGE */
function ownerOf(
  dispatcher: Dispatcher,
  client: ClientConnection,
  transaction: Transaction,
  watch: Watch | null,
  { ring, nextRing }: RoutingSnapshot,
): number {
  const { frames } = transaction;
  if (frames.keyCount === 0) return watch === null ? dispatcher.anyNode() : dispatcher.nodes.indexOf(watch.lane.node);
  let owner = WAIT;
  let waits = false;
  for (let i = 0; i < frames.keyCount; i++) {
    const hash = frames.hashAt(i);
    let node = ring.ownerOfHash(hash);
    if (nextRing !== null && nextRing.ownerOfHash(hash) !== node) {
      if (transaction.selects.length > 0 || transaction.writesOtherDatabases) return IN_CHANGE;
      const key = frames.keyAt(i);
      node = dispatcher.ownerNow(client, key, 0, key.length);
      if (node === GAVE_UP) return GAVE_UP;
      if (node === WAIT) {
        waits = true;
        continue;
      }
    }
    if (owner === WAIT) owner = node;
    else if (owner !== node) return SEVERAL;
  }
  return waits ? WAIT : owner;
}

function run(
  dispatcher: Dispatcher,
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
  transaction: Transaction,
  watch: Watch | null,
  owner: number,
): Verdict {
  let lane: Lane | null;
  if (watch === null) {
    lane = dispatcher.laneFor(client, owner);
    if (lane === null) return finish(client, command, dispatcher, dispatcher.nodeAt(owner).downReply);
  } else {
    lane = watch.lane;
    if (client.pending > 0 && client.lanes[owner] !== lane) {
      client.raiseBarrier();
      return LATER;
    }
  }
  if (lane.full) {
    client.waitFor(lane);
    return LATER;
  }
  const isOfSeveralNodes = transaction.everywhere.length > 0 && dispatcher.nodes.length > 1;
  if (isOfSeveralNodes && client.pending > 0) {
    // What goes to other nodes goes by lanes that are not the client's own: it must not overtake what is in flight.
    client.raiseBarrier();
    return LATER;
  }
  if (transaction.flushesKeys && isOfSeveralNodes && dispatcher.isFenced) {
    // Keys may begin to move before it has run everywhere.
    return dispatcher.holdForRing(client) ? LATER : finish(client, command, dispatcher, GAVE_UP_REPLY);
  }
  const moves = transaction.flushesKeys && isOfSeveralNodes ? (dispatcher.snapshot?.moves ?? null) : null;
  if (moves !== null && !moves.holdMoves(client)) {
    return client.hold() ? LATER : finish(client, command, dispatcher, GAVE_UP_REPLY);
  }
  if (publishesTooEarly(dispatcher, client, framer, transaction, lane)) {
    moves?.releaseMoves();
    return LATER;
  }
  send(dispatcher, client, command, transaction, lane, moves);
  // Nor must it, or what is done here, be overtaken by what the client sends next.
  if (isOfSeveralNodes || transaction.answeredHere.length > 0) client.raiseBarrier();
  client.transaction = null;
  if (watch !== null) endWatch(client, true);
  return TAKEN;
}

/** Whether the node is still to hear of what was subscribed to before: the client then waits. */
function publishesTooEarly(
  { publishOrder }: Dispatcher,
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
  return publishOrder.mustWait(client, framer, lane.node, codePublishes ? null : published);
}

function send(
  dispatcher: Dispatcher,
  client: ClientConnection,
  command: Command,
  transaction: Transaction,
  lane: Lane,
  moves: KeyMoves | null,
): void {
  const { requests, clock } = dispatcher.context.shared;
  const { frames, selects, everywhere } = transaction;
  const changesBack = followKind(client, lane);
  const execRequest = requests.take();
  const hasMore = everywhere.length > 0 || transaction.answeredHere.length > 0;
  const aftermath = hasMore ? aftermathOf(dispatcher, client, transaction, lane, moves) : null;
  const replies = new ExecReplies(execRequest, requests, frames.count + 1, selects, aftermath);
  dispatcher.scripts.loadFor(transaction, lane);
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
  request.sink = replies;
  request.startedAt = clock.now;
  request.command = command.id;
  // EXEC's own reply stands behind it, and is waited for.
  request.keys = NO_KEYS_AT_ALL;
  lane.enqueue(request);
  execRequest.command = command.id;
  execRequest.lane = lane;
  noteKeys(execRequest, transaction);
  if (transaction.runsCode) execRequest.code = PLAIN_CALL;
  client.enqueue(execRequest);
  lane.enqueue(execRequest);
  if (transaction.flushesScripts) dispatcher.scripts.flush();
  if (selects.length > 0) {
    // Others use the lane as well; what this client does next goes by other lanes, when it is known which.
    client.raiseBarrier();
    sendQuietly(lane, selectFrame(lane.kind.database));
  } else if (changesBack) {
    sendQuietly(lane, selectFrame(lane.kind.database));
    sendQuietly(lane, Buffer.from(encodeRequest(['HELLO', String(lane.kind.protocol)])));
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
  request.keyHash = first | 0;
}

/**
 * When the transaction has run: what concerns every node goes to the others, keys that were held still for it move again,
 * and what the proxy answers is carried out.
 */
function aftermathOf(
  dispatcher: Dispatcher,
  client: ClientConnection,
  { everywhere, ownParts, answeredHere }: Transaction,
  own: Lane,
  moves: KeyMoves | null,
): Aftermath {
  const { requests, clock } = dispatcher.context.shared;
  const { protocol } = client.kind;
  return {
    onRun: (reply, answer) => {
      const others = new OtherNodes(everywhere, requests, (errors) => {
        for (const run of ownParts) run();
        moves?.releaseMoves();
        const elements = new Map(errors);
        if (!client.closed) for (const one of answeredHere) elements.set(one.at, answerHere(dispatcher, client, one));
        const finish = (): void => answer(withElements(reply, elements));
        const { peers } = dispatcher.context;
        // Whoever has EXEC's answer finds the other processes' clients paused, too.
        if (peers === null || !answeredHere.some(({ command }) => concernsOthers(command))) return finish();
        void peers.ask({ type: 'caught-up' }).then(finish);
      });
      const nodes = dispatcher.nodes.filter((node) => node !== own.node);
      others.send(nodes, protocol, clock.now);
    },
    onFailed: () => moves?.releaseMoves(),
  };
}

/** The client has changed its protocol or database since it watches on this lane. @returns whether it has */
function followKind(client: ClientConnection, lane: Lane): boolean {
  const { protocol, database } = client.kind;
  if (lane.kind.protocol === protocol && lane.kind.database === database) return false;
  sendQuietly(lane, Buffer.from(encodeRequest(['HELLO', String(protocol)])));
  sendQuietly(lane, selectFrame(database));
  return true;
}

function selectFrame(database: number): Buffer {
  return Buffer.from(encodeRequest(['SELECT', String(database)]));
}

/** Answers EXEC here, and nothing remains of the transaction. */
function finish(client: ClientConnection, command: Command, dispatcher: Dispatcher, reply: Buffer): Verdict {
  client.transaction = null;
  endWatch(client, false);
  if (reply[0] === 0x2d) return dispatcher.refuse(client, command, reply);
  client.reply(command.id, reply);
  return TAKEN;
}
