/**
 * A lane: one pipelined connection to a node.
 *
 *   requests    head → … → tail          appended by `send`, in the order of their frames
 *   outlet      [frame][frame][frame]    one write a turn
 *   replies     framed as chunks come (`reply-reader.ts`), each belongs to the request at the head
 *
 * States: idle → connecting → greeting → looking → ready → closed. Commands may be sent in every state but the last;
 * they go out once the node has answered the handshake, and this proxy may speak to it (`look.ts`).
 *
 * The file is long because a lane is what all of these meet in: whom it serves, what it waits for, how it ends.
 */

import type { Socket } from 'node:net';
import { openSocket } from '../../node/dial.js';
import { type Failure, failure, hungUp, predicateOf, systemFailure, timedOut } from '../../node/failure.js';
import type { Greeted } from '../../node/handshake.js';
import { onceOpen } from '../../node/tls.js';
import type { Receiver } from '../io/batch/batch-reads.js';
import { Outlet } from '../io/outlet.js';
import { onreadOf, readTogether } from '../io/raw-socket.js';
import { createSocketWriter } from '../io/socket-writer.js';
import type { ReplySink } from '../request/reply-sink.js';
import { type KeysOfRequest, type Request, UNKNOWN_KEYS } from '../request/request.js';
import type { Requester } from '../request/requester.js';
import { Greeting } from './greeting.js';
import { GreetingTimer } from './greeting-timer.js';
import { failedReply, type LaneEnd } from './lane-end.js';
import type { LaneKind } from './lane-kind.js';
import type { LanePool, LaneWaiter } from './lane-pool.js';
import { LaneQueue } from './lane-queue.js';
import { LaneTimeouts } from './lane-timeouts.js';
import { LoadedScripts } from './loaded-scripts.js';
import { Look } from './look.js';
import { otherProcess } from './other-process.js';
import { ReadingPause } from './reading-pause.js';
import { ReplyReader, type ReplyReceiver } from './reply-reader.js';
import type { UpstreamNode } from './upstream-node.js';

const IDLE = 0;
const CONNECTING = 1;
const GREETING = 2;
const LOOKING = 3;
const READY = 4;
const CLOSED = 5;

/** A script that runs for longer keeps its lane for itself. */
const LONG_CODE_MS = 50;
const ERROR_BYTE = 0x2d;

/**
 * A node that runs a script says nothing at all until `busy-reply-threshold`, which is as long as `request-timeout` by
 * default: commands that wait for it are given this much more. Milliseconds.
 */
const BUSY_GRACE_MS = 1000;
/** A Redis without TLS takes its handshake for a command that has no end. */
const LATE_BY_TLS = ': if it speaks no TLS, see node-tls';

export class Lane implements Receiver, ReplyReceiver {
  readonly node: UpstreamNode;
  readonly kind: LaneKind;
  /** Index of the kind in the node's table of lanes. */
  readonly kindIndex: number;
  readonly outlet: Outlet;
  /** Where the lane goes when its client does not need it any more; null: it is shared. */
  readonly pool: LanePool | null;
  /** The scripts that it has loaded at its node. */
  readonly scripts = new LoadedScripts();

  #accepting = true;
  #owner: Requester | null = null;
  #patience = 0;
  #unblocks = 0;
  #isBehindCode = false;
  #whenIdle: ((lane: Lane) => void) | null = null;
  readonly #pause = new ReadingPause();
  #isReceiving = false;
  #lastUsedAt = 0;
  /** Who waits until the lane takes commands again. */
  readonly #waiting = new Set<LaneWaiter>();
  #state = IDLE;
  #socket: Socket | null = null;
  readonly #queue = new LaneQueue();
  readonly #reader: ReplyReader;
  readonly #timeouts: LaneTimeouts;
  #endsWhenIdle = false;
  readonly #greetingTimer = new GreetingTimer(
    (waited) => this.#moreTimeToGreet(waited),
    (waited) => {
      if (this.#state === LOOKING) this.end('no-leave', predicateOf(failure('unsure')));
      else this.end('connect', `${predicateOf(timedOut(waited))}${this.#isLateByTls() ? LATE_BY_TLS : ''}`);
    },
  );
  #greeting: Greeting | null = null;
  #look: Look | null = null;
  /** What the node has said of this connection; null: it has not greeted yet. */
  #greeted: Readonly<Greeted> | null = null;

  /**
   * @param pool null: it is shared
   * @param receive the buffer to read into, which others may share; null: one of its own
   */
  constructor(
    node: UpstreamNode,
    kind: LaneKind,
    kindIndex: number,
    pool: LanePool | null,
    receive: Buffer | null = null,
  ) {
    this.node = node;
    this.pool = pool;
    this.kind = kind;
    this.kindIndex = kindIndex;
    const { options, lanePools, requests } = node.shared;
    this.#reader = new ReplyReader(this, { receive, pool: lanePools.large, options, nobody: requests.nobody });
    this.outlet = new Outlet(node.shared.turn, node.shared.lanePools, {
      onDrained: () => this.#onDrained(),
    });
    this.#timeouts = new LaneTimeouts(this.outlet);
  }

  /** How many requests were answered. */
  get answered(): number {
    return this.#queue.answered;
  }

  /** Requests whose replies are still to come. */
  get inflight(): number {
    return this.#queue.length;
  }

  /** Whether further commands may be sent here: false once it ended or was given to one large reply. */
  get accepting(): boolean {
    return this.#accepting;
  }

  /** No further commands are sent here; what is in flight is waited for. */
  refuseFurther(): void {
    this.#accepting = false;
  }

  /** The one client that uses the lane; null: it is shared, or nobody does. */
  get owner(): Requester | null {
    return this.#owner;
  }

  /** Only `client` uses the lane from now on. */
  assignTo(client: Requester): void {
    this.#owner = client;
  }

  /** Its client does not need it any more. @param now by the clock */
  unassign(now: number): void {
    this.#owner = null;
    this.#whenIdle = null;
    this.#lastUsedAt = now;
  }

  /** How much longer than other commands those of this lane may take, because they wait at the node. Milliseconds. */
  get patience(): number {
    return this.#patience;
  }

  /** @param patience more milliseconds that its commands may take from now on; 0: none */
  expectLonger(patience: number): void {
    this.#patience = patience;
  }

  /** CLIENT UNBLOCKs for this connection that are not answered: until then nobody else may wait on it. */
  get unblocks(): number {
    return this.#unblocks;
  }

  /** A CLIENT UNBLOCK for this connection is on its way. */
  beginUnblock(): void {
    this.#unblocks++;
  }

  /** It was answered. */
  endUnblock(): void {
    this.#unblocks--;
  }

  /** A script that takes long holds it up: until that has ended, or for good where the lane was shared and is retired. */
  get isBehindCode(): boolean {
    return this.#isBehindCode;
  }

  /** Somebody is told when nothing is in flight any more. */
  get isAwaited(): boolean {
    return this.#whenIdle !== null;
  }

  /** Calls `tell`, and nobody else, once nothing is in flight any more, or the lane has ended. */
  whenIdle(tell: (lane: Lane) => void): void {
    this.#whenIdle = tell;
  }

  /** Nobody is told any more. */
  neverMindIdle(): void {
    this.#whenIdle = null;
  }

  /** The client that the lane's reading waits for, because it does not take its large reply. */
  get pausedFor(): Requester | null {
    return this.#pause.client;
  }

  /** Others wait behind a large reply whose client is slow: it is taken into memory instead of waiting further. */
  get absorbs(): boolean {
    return this.#pause.isOver;
  }

  /** A client is still sending the last command: until `endReceiving` the node is not to answer it. */
  beginReceiving(): void {
    this.#isReceiving = true;
  }

  /** The last command is whole. */
  endReceiving(): void {
    this.#isReceiving = false;
  }

  /** When the lane last had something to do, by the clock. */
  get lastUsedAt(): number {
    return this.#lastUsedAt;
  }

  /** The node's number of this connection (CLIENT ID), or -1. */
  get connectionId(): number {
    return this.#greeted?.connectionId ?? -1;
  }

  /** The run id of the node's process, where it was asked because the ring changes; otherwise empty. */
  get runId(): string {
    return this.#greeted?.runId ?? '';
  }

  /** The proxy's end of this connection as the node sees it, or empty. */
  get peer(): string {
    return this.#greeted?.peer ?? '';
  }

  /** Resumes `waiter` when the lane takes commands again, or has ended. */
  resumeWithRoom(waiter: LaneWaiter): void {
    this.#waiting.add(waiter);
    this.outlet.wantsDrain = true;
  }

  get ready(): boolean {
    return this.#state === READY;
  }

  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** It waits to learn whether this proxy may speak to the node. */
  get isLooking(): boolean {
    return this.#state === LOOKING;
  }

  /** The request whose reply is to come next, or null. */
  get head(): Request | null {
    return this.#queue.head;
  }

  /** Whether the lane has as much in flight as it may. */
  get full(): boolean {
    const { nodeMaxInflight, nodeMaxPendingBytes } = this.node.shared.options;
    return this.inflight >= nodeMaxInflight || this.outlet.pending >= nodeMaxPendingBytes;
  }

  /** Puts a request behind those that wait; its frame must have been appended to the outlet in the same order. */
  enqueue(request: Request): void {
    this.#queue.push(request);
  }

  /** Sends the frame `source[start, end)`, whose reply is `request`'s. */
  send(request: Request, source: Uint8Array, start: number, end: number): void {
    this.outlet.append(source, start, end);
    this.node.counters.bytesOut += end - start;
    request.lane = this;
    this.enqueue(request);
  }

  /**
   * Sends a frame of the proxy's own.
   * @param sink takes the reply, and gives the request back; null: nobody does
   * @param keys what a fence is to know of its keys
   */
  ask(frame: Uint8Array, sink: ReplySink | null, keys: KeysOfRequest = UNKNOWN_KEYS): void {
    this.send(this.#ownRequest(sink, keys), frame, 0, frame.length);
  }

  /** The same of a frame that begins with `head` and ends with `source[start, end)`. */
  askOf(head: Uint8Array, source: Uint8Array, start: number, end: number, sink: ReplySink, keys: KeysOfRequest): void {
    this.outlet.append(head, 0, head.length);
    this.node.counters.bytesOut += head.length;
    this.send(this.#ownRequest(sink, keys), source, start, end);
  }

  #ownRequest(sink: ReplySink | null, keys: KeysOfRequest): Request {
    const { requests, clock } = this.node.shared;
    const request = requests.take();
    if (sink !== null) request.answerTo(sink);
    request.keys = keys;
    request.startedAt = clock.now;
    return request;
  }

  /** Puts a request back that was answered just now, since it stands for further replies, in front of the others. */
  expectAgain(request: Request): void {
    this.#queue.unshift(request);
  }

  open(): void {
    if (this.#state !== IDLE) return;
    this.#state = CONNECTING;
    const { options } = this.node.shared;
    const { target, tls } = this.node;
    // Nobody opens a lane to a node that has no master.
    if (target === null) return;
    const socket = openSocket(target, tls, onreadOf(this));
    this.#socket = socket;
    onceOpen(socket, () => this.#onConnected(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onSocketEnd(systemFailure(error)));
    socket.on('end', () => this.#onSocketEnd(failure('closed')));
    socket.on('close', () => this.#onSocketEnd(failure('closed')));
    this.#greetingTimer.start(options.connectTimeout);
  }

  /** The node's kernel has taken the connection, and the node has not answered TLS' handshake. */
  #isLateByTls(): boolean {
    return this.#state === CONNECTING && this.node.tls !== undefined && this.#socket?.connecting === false;
  }

  /** The node's kernel has taken the connection; the node will, when its script lets it. */
  #moreTimeToGreet(waited: number): number {
    const { connectTimeout, requestTimeout } = this.node.shared.options;
    if (this.#state !== GREETING || !this.node.runsLongCode) return 0;
    return Math.min(connectTimeout, requestTimeout + BUSY_GRACE_MS - waited);
  }

  /** Settles when the last request was answered that is in flight now and matters, or the lane has ended. */
  answeredSoFar(matters: (request: Request) => boolean): Promise<void> {
    return this.#queue.answeredSoFar(matters);
  }

  /** The first request in flight that matters, or null. */
  find(matters: (request: Request) => boolean): Request | null {
    return this.#queue.find(matters);
  }

  /** The client whose large reply is being passed on as it comes, or null. */
  get streamsTo(): Requester | null {
    return this.#reader.isStreaming ? (this.#queue.head?.client ?? null) : null;
  }

  /** A large reply is on its way, whosever it is. */
  get isStreaming(): boolean {
    return this.#reader.isStreaming;
  }

  /** Takes no further commands, and ends when those in flight are answered. */
  retire(): void {
    this.#accepting = false;
    if (this.inflight === 0) this.end('closed', 'is retired');
    else this.#endsWhenIdle = true;
  }

  /** This proxy may not speak to the node any more. @param why as a predicate of the node */
  cutOff(why: string): void {
    if (this.#state === READY) this.end('closed', why);
    else this.end('no-leave', `${why}; try again`);
  }

  /** Ends the lane: its socket is destroyed, and every request that still waits is failed with `why`. */
  end(reason: LaneEnd, why: string): void {
    if (this.#state === CLOSED) return;
    const wasReady = this.#state === READY;
    this.#state = CLOSED;
    this.#accepting = false;
    this.#greetingTimer.stop();
    this.#look?.drop();
    this.outlet.close();
    this.#socket?.destroy();
    this.#reader.drop();
    this.node.onLaneEnd(this, reason, why, wasReady);
    this.#failAll(reason, why);
    this.#releaseWaiting();
    this.#queue.giveUpFences();
    this.#tellIdle();
  }

  /** Stops reading until `resume`, because `client` cannot take what comes. */
  pause(client: Requester): void {
    if (this.pausedFor !== null || this.#socket === null) return;
    this.#pause.begin(client, this.node.shared.clock.now);
    this.#socket.pause();
  }

  resume(): void {
    if (this.pausedFor === null) return;
    this.#pause.end();
    this.#timeouts.heard(this.node.shared.clock.read());
    this.#socket?.resume();
  }

  /** Keeps a client that does not take its large reply from holding up the requests behind it for long. */
  checkPause(now: number): void {
    const client = this.pausedFor;
    if (client === null || !this.#pause.isTooLong(now)) return;
    let behind = this.head?.nextOfLane ?? null;
    while (behind !== null && behind.client === client) behind = behind.nextOfLane;
    if (behind === null) return;
    this.#pause.giveUp();
    client.releaseLane(this);
  }

  /** Ends the lane when the request at its head has waited longer than the request timeout. */
  checkTimeout(now: number): void {
    const head = this.#queue.head;
    if (head === null || this.pausedFor !== null || this.#state !== READY) return;
    this.#timeouts.watchSending(now, this.#isReceiving && this.inflight === 1);
    const { requestTimeout } = this.node;
    const grace = this.node.runsLongCode ? BUSY_GRACE_MS : 0;
    if (this.#timeouts.waited(head, now) <= requestTimeout + this.#patience + grace) return;
    // It lives, and says so to others.
    if (this.#isBehindCode && this.node.busy.reply !== null) return;
    this.node.counters.timeouts++;
    this.end('timeout', predicateOf(timedOut(requestTimeout)));
  }

  /** Looks again whether this proxy may speak to the node, in case that could not be told. */
  lookAgain(): void {
    if (this.#state === LOOKING) this.#look?.tick();
  }

  /** Whether a command has had no answer for this long. Milliseconds. */
  isSilent(now: number, milliseconds: number): boolean {
    const head = this.#queue.head;
    if (head === null || this.pausedFor !== null || this.#isBehindCode) return false;
    return this.#timeouts.waited(head, now) > milliseconds;
  }

  /**
   * A node that runs a script reads nothing further from the connection that the script came by. So a shared lane
   * whose script takes long carries no further commands, and whoever comes next is told by the node that it is busy.
   * @returns whether it is seen now that a script holds the lane up
   */
  noticeLongCode(now: number): boolean {
    const head = this.#queue.head;
    if (head === null || this.#isBehindCode) return false;
    const isShared = this.#owner === null;
    if (isShared && !this.#accepting) return false;
    if (this.#timeouts.sinceHeard(head, now) < LONG_CODE_MS) return false;
    // Replies to what came in one piece with the script are not sent before it has ended.
    let code: Request | null = head;
    while (code !== null && !code.runsCode) code = code.nextOfLane;
    if (code === null) return false;
    this.#isBehindCode = true;
    if (isShared) {
      this.#accepting = false;
      this.#endsWhenIdle = true;
      this.node.onLaneRetired(this);
    }
    return true;
  }

  #onConnected(socket: Socket): void {
    if (this.#state !== CONNECTING) return;
    this.#state = GREETING;
    readTogether(socket, this);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, this.node.shared.options.tcpKeepalive);
    this.#look = new Look(this.node.shared.options.standing, (found) => this.#onLooked(found));
    const { connectionName } = this.#look;
    const { login, late, asksRunId, hasReadyLane: othersServe, isFollowed, isReplica } = this.node;
    const role = isReplica ? 'replica' : isFollowed ? 'master' : null;
    const isOneOfMany = this.pool !== null || othersServe;
    this.#greeting = new Greeting(this.kind, {
      ...{ login, connectionName, isOneOfMany, othersServe, asksRunId, late, role },
    });
    socket.write(this.#greeting.bytes);
  }

  #onGreetingReply(greeting: Greeting, buffer: Buffer, start: number, end: number): void {
    const outcome = greeting.onReply(buffer, start, end);
    if (typeof outcome === 'object') {
      this.end(outcome.reason, outcome.why);
      return;
    }
    if (outcome === 'more') return;
    this.#greeted = greeting.greeted;
    const found = otherProcess(this.node.process, greeting.greeted.runId, greeting.objection, this.node.hasReadyLane);
    if (found !== null) {
      if (found.kind === 'restarted') this.node.onOtherProcess(this);
      this.end('greeting', predicateOf(found));
      return;
    }
    this.#state = LOOKING;
    this.#look?.begin(greeting.greeted);
  }

  #onLooked(found: Failure | null): void {
    if (found === null) this.#becomeReady();
    else this.end(found.kind === 'unnamed' ? 'greeting' : 'no-leave', predicateOf(found));
  }

  #becomeReady(): void {
    this.#greetingTimer.stop();
    this.#state = READY;
    const now = this.node.shared.clock.read();
    this.#timeouts.heard(now);
    this.#lastUsedAt = now;
    const socket = this.#socket;
    if (socket === null) return;
    this.outlet.attach(createSocketWriter(socket, this.outlet));
    this.node.onLaneReady(this);
  }

  /** What its socket is read into next. */
  get receiveBuffer(): Buffer {
    return this.#reader.receiveBuffer;
  }

  /** `chunk[0, length)` has come from the node. */
  onReceived(length: number, chunk: Buffer): void {
    if (this.#state === CLOSED) return;
    const { clock } = this.node.shared;
    const now = clock.read();
    this.#timeouts.heard(now);
    this.node.counters.bytesIn += length;
    if (!this.#reader.read(chunk, length)) {
      this.end('protocol', predicateOf(failure('protocol')));
      return;
    }
    if (this.closed) return;
    if (this.#waiting.size > 0 && !this.full) this.#releaseWaiting();
    if (this.inflight > 0) return;
    if (this.#endsWhenIdle) this.end('closed', 'is retired');
    else if (this.#whenIdle !== null) this.#tellIdle();
  }

  #tellIdle(): void {
    const tell = this.#whenIdle;
    this.#whenIdle = null;
    tell?.(this);
  }

  /** A whole reply is here: the head's, or the node's answer to the handshake. */
  onWholeReply(buffer: Buffer, start: number, end: number): void {
    if (this.#state === GREETING && this.#greeting !== null) {
      this.#onGreetingReply(this.#greeting, buffer, start, end);
      return;
    }
    const request = this.#queue.head;
    // What waits for leave to be sent was not sent.
    if (request === null || this.#state === LOOKING) {
      const said = buffer[start] === ERROR_BYTE ? buffer.toString('utf8', start + 1, end - 2) : '';
      this.end('protocol', predicateOf(failure('unasked', said)));
      return;
    }
    this.#pop(request);
    const failed = buffer[start] === ERROR_BYTE;
    if (failed) this.node.trouble.note(buffer, start, end, this.node.shared.clock.now);
    this.node.answered(request, failed);
    request.sink.onReply(request, buffer, start, end);
  }

  /**
   * The head's reply is large: from now on it is passed on as it comes. Nobody else shall wait behind it,
   * so a shared lane takes no further commands, and its client gets lanes of its own.
   */
  onLargeReply(request: Request): void {
    if (this.#owner !== null) return;
    this.#accepting = false;
    this.node.onLaneRetired(this);
    request.client?.onLargeReply();
  }

  /** The last piece of the head's reply is about to be passed on. */
  onStreamed(request: Request): void {
    this.#pop(request);
    this.node.answered(request, false);
  }

  #pop(request: Request): void {
    if (this.#isBehindCode && this.#owner !== null) {
      this.#isBehindCode = false;
      this.node.onCodeEnd();
    }
    // How long a command waited for others says nothing of the node.
    if (this.#patience > 0) request.startedAt = this.node.shared.clock.now;
    this.#queue.shift(request);
    if (this.inflight === 0) this.#lastUsedAt = this.node.shared.clock.now;
  }

  #onDrained(): void {
    if (this.#waiting.size > 0 && !this.full) this.#releaseWaiting();
  }

  #releaseWaiting(): void {
    const clients = [...this.#waiting];
    this.#waiting.clear();
    for (const client of clients) client.resumeSoon();
  }

  #onSocketEnd(found: Failure): void {
    if (this.#state === CLOSED) return;
    const why = predicateOf(found);
    if (this.#state === GREETING) {
      const isPuzzling = hungUp(found) && !this.node.hasServed;
      const guess = isPuzzling ? (this.#greeting?.guess(this.node.tls !== undefined) ?? '') : '';
      this.end('greeting', `${why}${guess}${this.#greeting?.complaint ?? ''}`);
    } else this.end(this.#state === READY ? 'lost' : 'connect', why);
  }

  #failAll(reason: LaneEnd, why: string): void {
    let request = this.#queue.takeAll();
    if (request === null) return;
    const reply = failedReply(this.node, reason, why);
    let cut = this.#reader.isStreaming;
    while (request !== null) {
      const next: Request | null = request.nextOfLane;
      this.node.unanswered(request);
      if (cut && request.stream !== null) request.stream.onReplyCut(request, reply);
      else request.sink.onFailure(request, reply);
      cut = false;
      request = next;
    }
  }
}
