/**
 * A command that waits at its node (BLPOP and the like), on a lane of its own.
 *
 *   AT_NODE ──reply──▶ ENDED
 *      │ ▲
 *      │ └──── issued at the owner of its keys, with the rest of its timeout ────┐
 *      ▼                                                                          │
 *   LEAVING ──UNBLOCKED──▶ PARKED: its keys are changing hands ───────────────────┘
 *
 * It is taken off its node before the fence is acknowledged. An element that was popped until then is its reply,
 * so each element is popped once, and each that was popped is delivered.
 */

import type { Command } from '../../../commands/command.js';
import { error as encodeError, request as encodeRequest } from '../../../resp/encode.js';
import type { TurnTask } from '../../io/turn.js';
import type { MoveWaiter } from '../../key-moves.js';
import type { UnblockMode } from '../../peers/peers.js';
import type { ReplySink } from '../../request/reply-sink.js';
import { PARTIAL, type Request } from '../../request/request.js';
import type { FrameBehind, Steps } from '../../request/steps.js';
import { ON_TARGET, routeMovedKey } from '../../route/moving/moved-key.js';
import { crossSlotReply } from '../../route/replies.js';
import type { Router } from '../../route/router.js';
import { sendOnLane } from '../../route/send-behind.js';
import { GAVE_UP_REPLY } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { LaneWaiter } from '../../upstream/lane-pool.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { newestIds, timeoutOf, timeoutPosition, timeoutReply, timeoutText } from './blocking-frame.js';
import { giveBackFrame } from './give-back.js';
import type { LateEnds } from './late-ends.js';
import type { WaitsApart } from './over-nodes/waits-apart.js';
import { askNewestId } from './stream-end.js';
import { releaseBlocking, UNBLOCKED, unblock } from './unblock.js';

const AT_NODE = 0;
const LEAVING = 1;
const PARKED = 2;
/** The client has left; its lane still waits for the node. */
const ABANDONED = 3;
const ENDED = 4;

/** Where waiting commands are found, by whoever is to end or to resume them. */
export interface WaitingCommands {
  /** Those that a node is to answer. */
  readonly atNode: Set<BlockedCommand>;
  /** Those that wait for a change of the ring. */
  readonly parked: Set<BlockedCommand>;
  readonly lateEnds: LateEnds;
  /** Those whose keys have come apart. */
  readonly apart: WaitsApart;
}

export class BlockedCommand implements ReplySink, MoveWaiter, LaneWaiter, TurnTask, Steps {
  readonly #router: Router;
  readonly #all: WaitingCommands;
  readonly #client: ClientConnection;
  readonly #command: Command;
  readonly #request: Request;
  /** The arguments, the command's name included. */
  readonly #words: Buffer[];
  /** Positions of the keys. */
  readonly #keys: readonly number[];
  readonly #timeoutAt: number;
  /** By the clock; Infinity: never. */
  readonly #deadline: number;
  /** Goes behind it wherever it is issued. */
  readonly #behind: FrameBehind[] = [];
  #lane: Lane | null = null;
  #state = AT_NODE;
  /** The command never left for the node. */
  #unsent = false;
  /** A client has asked for the end of the wait. */
  #ended: UnblockMode | null = null;
  /** The client sends nothing more. */
  #hungUp = false;
  #parkedAt = 0;
  #scheduled = false;

  /** @param request stands in the client's queue already */
  constructor(
    router: Router,
    all: WaitingCommands,
    client: ClientConnection,
    command: Command,
    request: Request,
    words: Buffer[],
    keys: readonly number[],
  ) {
    this.#router = router;
    this.#all = all;
    this.#client = client;
    this.#command = command;
    this.#request = request;
    this.#words = words;
    this.#keys = keys;
    this.#timeoutAt = timeoutPosition(command, words);
    this.#deadline = this.#now + timeoutOf(command, words, this.#timeoutAt);
    request.steps = this;
  }

  /** By the clock. */
  get #now(): number {
    return this.#router.shared.clock.now;
  }

  /** Whether a key changes hands. */
  moves({ rings }: RoutingSnapshot): boolean {
    return this.#keys.some((at) => {
      const key = this.#words[at] as Buffer;
      return rings.movesAway(rings.hashOf(key, 0, key.length));
    });
  }

  /** Sends the command to its node. */
  issue(lane: Lane, frame: Uint8Array, start: number, end: number): void {
    const request = this.#request;
    this.#state = AT_NODE;
    this.#unsent = false;
    this.#lane = lane;
    request.startedAt = this.#now;
    lane.expectLonger(this.#deadline - this.#now);
    lane.whenIdle((idle) => this.#onIdle(idle));
    lane.send(request, frame, start, end);
    for (const { key, frame: behind } of this.#behind) sendOnLane(this.#router, lane, key, behind);
    this.#all.atNode.add(this);
  }

  /** A node carries out what has come by the same connection as soon as the wait is over, before anybody sees the reply. */
  sendBehind(key: Buffer, frame: Buffer): void {
    this.#behind.push({ key, frame });
    if (this.#lane !== null) sendOnLane(this.#router, this.#lane, key, frame);
  }

  /** The keys are about to change hands: the node answers now, with an element or with nothing. */
  leave(): void {
    const lane = this.#lane;
    if (this.#state !== AT_NODE || lane === null) return;
    if (this.#ended !== null) {
      // It is being answered already, for good.
      lane.expectLonger(0);
      return;
    }
    this.#state = LEAVING;
    this.#request.answerTo(this);
    if (!lane.ready) {
      this.#unsent = true;
      lane.end('closed', 'is changing hands');
      return;
    }
    for (const at of newestIds(this.#command, this.#words)) {
      const key = this.#words[at - this.#keys.length] as Buffer;
      askNewestId(lane.node, this.#client.kind, key, (id) => {
        this.#words[at] = id;
      });
    }
    // On the same connection as the question, and behind it.
    unblock(lane, 'ERROR', this.#client.kind);
  }

  /** The client has left. Nobody's element is popped for it from now on. */
  abandon(): void {
    const lane = this.#lane;
    const state = this.#state;
    if (state === ENDED || state === ABANDONED) return;
    this.#state = ABANDONED;
    if (state === PARKED) this.#end();
    if (lane === null || state !== AT_NODE) return;
    this.#request.answerTo(this);
    if (lane.ready) unblock(lane, 'ERROR');
    else lane.end('closed', 'the client left');
  }

  /**
   * The client sends nothing more. As in Redis, nobody waits for it any longer, but an element that is there it gets, and
   * what it has sent behind this command is carried out.
   */
  hangUp(): void {
    const lane = this.#lane;
    this.#hungUp = true;
    if (this.#state !== AT_NODE || lane === null || this.#ended !== null) return;
    this.#request.answerTo(this);
    this.#all.lateEnds.end(lane, 'ERROR');
  }

  /** The proxy stops: the client is told, unless there is an element for it. */
  stop(): void {
    if (this.#state === AT_NODE && this.#lane?.ready === true && this.#ended === null) unblock(this.#lane, 'ERROR');
    else this.endWait('ERROR');
  }

  /**
   * A client asks for the end of the wait (CLIENT UNBLOCK).
   * @returns the lane whose node is to be asked; null when it has ended, or will without that
   */
  endWait(mode: UnblockMode): Lane | null {
    const lane = this.#lane;
    this.#ended = mode;
    if (this.#state === PARKED) this.#finish(this.#endReply(mode));
    if (this.#state !== AT_NODE || lane === null) return null;
    if (lane.ready) return lane;
    this.#request.answerTo(this);
    this.#unsent = true;
    lane.end('closed', 'the client was unblocked');
    return null;
  }

  /** Whether it does not wait for the ring, or for a lane. */
  get closed(): boolean {
    return this.#state !== PARKED;
  }

  resumeSoon(): void {
    if (this.#scheduled || this.#state !== PARKED) return;
    this.#scheduled = true;
    this.#router.shared.turn.resume(this);
  }

  endOfTurn(): void {
    this.#scheduled = false;
    if (this.#state === PARKED) this.#continue();
  }

  /** Called about ten times a second while it is parked. */
  checkTime(now: number, requestTimeout: number): void {
    if (this.#state !== PARKED) return;
    if (now >= this.#deadline) this.#finish(timeoutReply(this.#command, this.#client.kind.protocol));
    else if (now - this.#parkedAt > requestTimeout) this.#finish(GAVE_UP_REPLY);
  }

  /** Only when the wait was ended by the proxy. */
  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const { client } = request;
    if (client === null) {
      this.#router.shared.requests.give(request);
      this.#giveBack(buffer.subarray(start, end));
      return;
    }
    request.streamTo(client);
    const unblocked = end - start === UNBLOCKED.length && UNBLOCKED.compare(buffer, start, end) === 0;
    if (this.#state === LEAVING && unblocked) this.#park();
    else if (this.#hungUp && unblocked && this.#ended === null) this.#endClient(request);
    else if (!this.#hungUp) client.onReply(request, buffer, start, end);
    else if (this.#client.onLastReply(request, buffer, start, end)) this.#giveBack(buffer.subarray(start, end));
  }

  /** What the node has answered nobody reads. */
  #giveBack(reply: Buffer): void {
    const frame = giveBackFrame(this.#command, this.#words, reply);
    // At once, so that whoever waits until nothing is in flight waits for this as well.
    if (frame !== null) this.#lane?.ask(frame, null);
  }

  onFailure(request: Request, reply: Buffer): void {
    const { client } = request;
    if (client === null || this.#state === ABANDONED) return;
    request.streamTo(client);
    if (!this.#unsent) {
      if (request.state === PARTIAL) client.onReplyCut(request, reply);
      else client.onReply(request, reply, 0, reply.length);
    } else if (this.#state === LEAVING) this.#park();
    else {
      const answer = this.#endReply(this.#ended ?? 'ERROR');
      client.onReply(request, answer, 0, answer.length);
    }
  }

  /** It would wait, and nobody is to wait for a client that sends nothing more: it gets the replies before this one. */
  #endClient(request: Request): void {
    const client = this.#client;
    request.silent = true;
    client.onReply(request, UNBLOCKED, 0, UNBLOCKED.length);
    client.endAfterReplies();
  }

  /** Nothing is in flight on the lane any more. */
  #onIdle(lane: Lane): void {
    if (this.#lane === lane) this.#lane = null;
    releaseBlocking(lane);
    if (this.#state === PARKED) this.#all.atNode.delete(this);
    else this.#end();
  }

  #park(): void {
    if (this.#ended !== null) {
      const reply = this.#endReply(this.#ended);
      this.#client.onReply(this.#request, reply, 0, reply.length);
      return;
    }
    this.#state = PARKED;
    this.#parkedAt = this.#now;
    this.#request.lane = null;
    this.#all.parked.add(this);
    this.resumeSoon();
  }

  /** Issues the command where its keys are now, once they have arrived there. */
  #continue(): void {
    const { snapshot } = this.#router;
    if (snapshot === null) return;
    let owner = -1;
    let waits = false;
    let isApart = false;
    for (const at of this.#keys) {
      const node = this.#ownerOf(this.#words[at] as Buffer, snapshot);
      if (node < 0) waits = true;
      else if (owner < 0) owner = node;
      else if (owner !== node) isApart = true;
    }
    if (waits) return;
    const remaining = this.#deadline - this.#now;
    if (remaining <= 0) this.#finish(timeoutReply(this.#command, this.#client.kind.protocol));
    else if (isApart) this.#goOnApart();
    else this.#issueAt(this.#router.nodeAt(owner), remaining);
  }

  /** Its keys are on several nodes by now: it waits for each of them where it is. */
  #goOnApart(): void {
    if (!this.#all.apart.takes(this.#client, this.#command)) {
      this.#finish(crossSlotReply(this.#client.crossNode));
      return;
    }
    const call = { client: this.#client, command: this.#command, request: this.#request, words: this.#words };
    const timeout = this.#deadline - this.#now;
    // Nothing is unblocked by the end of this one: the client waits for the next one already.
    this.#all.apart.begin({ ...call, keys: this.#keys, timeout, hasWaited: true, behind: this.#behind });
    this.#end();
  }

  /** @returns the node's index, or -1 while the key is changing hands */
  #ownerOf(key: Buffer, { rings, moves }: RoutingSnapshot): number {
    const hash = rings.hashOf(key, 0, key.length);
    const owner = rings.ownerOf(hash);
    const next = rings.nextOwnerOf(hash);
    if (next === owner) return owner;
    const { database } = this.#client.kind;
    const settled = moves?.isSettled(owner, database, key, 0, key.length) === true;
    if (routeMovedKey(moves !== null, settled, false, 0) === ON_TARGET) return next;
    moves?.settle(owner, next, database, Buffer.from(key), this);
    return -1;
  }

  #issueAt(node: UpstreamNode, remaining: number): void {
    const lane = node.takeBlocking(this.#client.kind, this.#client);
    if (lane === null) {
      // When it takes too long, `checkTime` ends it.
      if (node.up) node.blockingLanes.waitForLane(this);
      else this.#finish(node.downReply);
      return;
    }
    if (this.#timeoutAt > 0) this.#words[this.#timeoutAt] = Buffer.from(timeoutText(this.#command, remaining));
    this.#all.parked.delete(this);
    const frame = encodeRequest(this.#words);
    this.issue(lane, frame, 0, frame.length);
    if (this.#hungUp) this.hangUp();
  }

  #endReply(mode: UnblockMode): Buffer {
    return mode === 'ERROR' ? UNBLOCKED : timeoutReply(this.#command, this.#client.kind.protocol);
  }

  /** Answers a parked command here. */
  #finish(reply: Buffer): void {
    const client = this.#client;
    client.onReply(this.#request, reply, 0, reply.length);
    this.#end();
  }

  #end(): void {
    this.#state = ENDED;
    this.#all.atNode.delete(this);
    this.#all.parked.delete(this);
    this.#client.unblock(this);
  }
}

export function noBlockingLane(node: string): Buffer {
  return encodeError(`TRYAGAIN as many commands wait at node ${node} as may (node-blocking-connections)`);
}
