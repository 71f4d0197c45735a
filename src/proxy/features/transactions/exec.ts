/** EXEC: the queued frames go to the one node that owns their keys now. */
import type { Command } from '../../../commands/command.js';
import { EMPTY_ARRAY, error as encodeError, request as encodeRequest, nullArray } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { KeyMoves } from '../../key-moves.js';
import { KNOWN_KEY, NO_KEYS_AT_ALL, type Request, UNKNOWN_KEYS } from '../../request/request.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { NOT_READY } from '../../route/replies.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerError } from '../../session/words.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { Features } from '../compose.js';
import type { LocalCommand } from '../index.js';
import { type Aftermath, ExecReplies } from './exec-replies.js';
import { OtherNodes } from './other-nodes.js';
import { answerHere, concernsOthers, withElements } from './own-answers.js';
import type { Transaction, Watch } from './transaction.js';
import { endWatch } from './watch-lane.js';

const MULTI = Buffer.from(encodeRequest(['MULTI']));
const EXEC = Buffer.from(encodeRequest(['EXEC']));
const EXECABORT = encodeError('EXECABORT Transaction discarded because of previous errors.');
const APART = encodeError(
  "EXECABORT Transaction discarded because of: CROSSSLOT Keys in request don't hash to the same node",
);
const SELECT_IN_CHANGE = encodeError(
  'TRYAGAIN the ring is changing, and keys of several databases cannot move together',
);

export const exec: LocalCommand = (client, command, framer, features) => {
  const { transaction } = client;
  if (transaction === null) return answerError(client, command, 'ERR EXEC without MULTI');
  const busy = transaction.refusedBy?.busy.reply ?? null;
  if (busy !== null) return abortExec(client, command, features, busy.toString('latin1', 1));
  if (transaction.aborted) return finish(client, command, features, EXECABORT);
  const { snapshot } = features.router;
  if (snapshot === null) return finish(client, command, features, NOT_READY);
  if (!features.router.bind(client)) return LATER;
  const { watch } = client;
  if (watch !== null) {
    const verdict = checkWatch(features, client, command, watch, snapshot);
    if (verdict !== null) return verdict;
  }
  if (transaction.frames.count === 0 && watch === null) return finish(client, command, features, EMPTY_ARRAY);
  const owner = ownerOf(features, client, transaction, watch, snapshot);
  if (owner === WAIT) return LATER;
  if (owner === GAVE_UP) return finish(client, command, features, GAVE_UP_REPLY);
  if (owner === IN_CHANGE) return finish(client, command, features, SELECT_IN_CHANGE);
  if (owner === SEVERAL || (watch !== null && features.router.nodes[owner] !== watch.lane.node)) {
    return finish(client, command, features, APART);
  }
  if (!features.scripts.find(client, transaction)) return LATER;
  return run(features, client, command, framer, transaction, watch, owner);
};

/** EXEC was refused itself: as in Redis that ends the transaction. @param reason the error, as it would be otherwise */
export function abortExec(client: ClientConnection, command: Command, features: Features, reason: string): Verdict {
  const reply = encodeError(`EXECABORT Transaction discarded because of: ${reason.replace(/^ERR /, '')}`);
  return finish(client, command, features, reply);
}

/** The keys of the transaction have several owners. */
const SEVERAL = -3;
/** Keys move, and the transaction has keys of several databases. */
const IN_CHANGE = -4;

/** Whether the watched keys are where they were watched. @returns the verdict when EXEC ends or waits here */
function checkWatch(
  features: Features,
  client: ClientConnection,
  command: Command,
  watch: Watch,
  snapshot: RoutingSnapshot,
): Verdict | null {
  const { lane } = watch;
  if (lane.closed && !lane.node.up) return finish(client, command, features, lane.node.downReply);
  // Whether the keys were written to, nobody can tell any more.
  if (watch.broken || lane.closed || !watch.isInPlace(snapshot, features.router.nodes)) {
    return finish(client, command, features, nullArray(client.kind.protocol));
  }
  if (snapshot.moves !== null || !watch.moves(snapshot)) return null;
  // The fence is up: it is not known yet whether the keys will move.
  if (!features.router.holdForRing(client)) return finish(client, command, features, GAVE_UP_REPLY);
  return LATER;
}

/** @returns the index of the node, or WAIT, GAVE_UP, SEVERAL, IN_CHANGE */
function ownerOf(
  features: Features,
  client: ClientConnection,
  transaction: Transaction,
  watch: Watch | null,
  { ring, nextRing }: RoutingSnapshot,
): number {
  const { frames } = transaction;
  if (frames.keyCount === 0)
    return watch === null ? features.router.anyNode() : features.router.nodes.indexOf(watch.lane.node);
  let owner = WAIT;
  let waits = false;
  for (let i = 0; i < frames.keyCount; i++) {
    const hash = frames.hashAt(i);
    let node = ring.ownerOfHash(hash);
    if (nextRing !== null && nextRing.ownerOfHash(hash) !== node) {
      if (transaction.selects.length > 0 || transaction.writesOtherDatabases) return IN_CHANGE;
      const key = frames.keyAt(i);
      node = features.router.ownerNow(client, key, 0, key.length);
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
  features: Features,
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
  transaction: Transaction,
  watch: Watch | null,
  owner: number,
): Verdict {
  let lane: Lane | null;
  if (watch === null) {
    lane = features.router.laneFor(client, owner);
    if (lane === null) return finish(client, command, features, features.router.nodeAt(owner).downReply);
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
  const isOfSeveralNodes = transaction.everywhere.length > 0 && features.router.nodes.length > 1;
  if (isOfSeveralNodes && client.pending > 0) {
    // What goes to other nodes goes by lanes that are not the client's own: it must not overtake what is in flight.
    client.raiseBarrier();
    return LATER;
  }
  if (transaction.flushesKeys && isOfSeveralNodes && features.router.isFenced) {
    // Keys may begin to move before it has run everywhere.
    return features.router.holdForRing(client) ? LATER : finish(client, command, features, GAVE_UP_REPLY);
  }
  const moves = transaction.flushesKeys && isOfSeveralNodes ? (features.router.snapshot?.moves ?? null) : null;
  if (moves !== null && !moves.holdMoves(client)) {
    return client.hold(features.router.waitsFor) ? LATER : finish(client, command, features, GAVE_UP_REPLY);
  }
  if (publishesTooEarly(features, client, framer, transaction, lane)) {
    moves?.releaseMoves();
    return LATER;
  }
  send(features, client, command, transaction, lane, moves);
  // Nor must it, or what is done here, be overtaken by what the client sends next.
  if (isOfSeveralNodes || transaction.answeredHere.length > 0) client.raiseBarrier();
  client.transaction = null;
  if (watch !== null) endWatch(client, true);
  return TAKEN;
}

/** Whether the node is still to hear of what was subscribed to before: the client then waits. */
function publishesTooEarly(
  { publishOrder }: Features,
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
  features: Features,
  client: ClientConnection,
  command: Command,
  transaction: Transaction,
  lane: Lane,
  moves: KeyMoves | null,
): void {
  const { requests, clock } = features.router.shared;
  const { frames, selects, everywhere } = transaction;
  const changesBack = followKind(client, lane);
  const execRequest = client.begin(command.id);
  const hasMore = everywhere.length > 0 || transaction.answeredHere.length > 0;
  const aftermath = hasMore ? aftermathOf(features, client, transaction, lane, moves) : null;
  const replies = new ExecReplies(client, execRequest, requests, frames.count + 1, selects, aftermath);
  features.scripts.loadFor(transaction, lane);
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
  if (transaction.flushesScripts) features.scripts.flush();
  if (selects.length > 0) {
    // Others use the lane as well; what this client does next goes by other lanes, when it is known which.
    client.raiseBarrier();
    lane.ask(selectFrame(lane.kind.database), null, NO_KEYS_AT_ALL);
  } else if (changesBack) {
    lane.ask(selectFrame(lane.kind.database), null, NO_KEYS_AT_ALL);
    lane.ask(Buffer.from(encodeRequest(['HELLO', String(lane.kind.protocol)])), null, NO_KEYS_AT_ALL);
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
  features: Features,
  client: ClientConnection,
  { everywhere, ownParts, answeredHere }: Transaction,
  own: Lane,
  moves: KeyMoves | null,
): Aftermath {
  const { requests, clock } = features.router.shared;
  const { protocol } = client.kind;
  return {
    onRun: (reply, answer) => {
      const others = new OtherNodes(everywhere, requests, (errors) => {
        for (const run of ownParts) run();
        moves?.releaseMoves();
        const elements = new Map(errors);
        if (!client.closed) for (const one of answeredHere) elements.set(one.at, answerHere(features, client, one));
        const finish = (): void => answer(withElements(reply, elements));
        const { peers } = features.context;
        // Whoever has EXEC's answer finds the other processes' clients paused, too.
        if (peers === null || !answeredHere.some(({ command }) => concernsOthers(command))) return finish();
        void peers.ask({ type: 'caught-up' }).then(finish);
      });
      const nodes = features.router.nodes.filter((node) => node !== own.node);
      others.send(nodes, protocol, clock.now);
    },
    onFailed: () => moves?.releaseMoves(),
  };
}

/** The client has changed its protocol or database since it watches on this lane. @returns whether it has */
function followKind(client: ClientConnection, lane: Lane): boolean {
  const { protocol, database } = client.kind;
  if (lane.kind.protocol === protocol && lane.kind.database === database) return false;
  lane.ask(Buffer.from(encodeRequest(['HELLO', String(protocol)])), null, NO_KEYS_AT_ALL);
  lane.ask(selectFrame(database), null, NO_KEYS_AT_ALL);
  return true;
}

function selectFrame(database: number): Buffer {
  return Buffer.from(encodeRequest(['SELECT', String(database)]));
}

/** Answers EXEC here, and nothing remains of the transaction. */
function finish(client: ClientConnection, command: Command, features: Features, reply: Buffer): Verdict {
  client.transaction = null;
  endWatch(client, false);
  if (reply[0] === 0x2d) return features.router.refuse(client, command, reply);
  client.reply(command.id, reply);
  return TAKEN;
}
