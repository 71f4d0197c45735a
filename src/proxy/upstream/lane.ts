/**
 * A lane: one pipelined connection to a node.
 *
 *   requests    head → … → tail          appended by `send`, in the order of their frames
 *   outlet      [frame][frame][frame]    one write a turn
 *   replies     framed as chunks come, each belongs to the request at the head
 *
 * A reply that is whole in one chunk is handed on from there. One that is cut is gathered in `#carry`;
 * one that is large is streamed to its client as its chunks arrive (`#streaming`).
 *
 * States: idle → connecting → greeting → ready → closed. Commands may be sent in every state but the last;
 * they go out once the node has answered the handshake.
 *
 * The file is long because where a reply's bytes go depends on all of a lane's states, which nobody else may see.
 */

import type { Socket } from 'node:net';
import { openSocket } from '../../node/dial.js';
import { type Failure, failure, predicateOf, systemFailure, timedOut } from '../../node/failure.js';
import { error as encodeError } from '../../resp/encode.js';
import { ReplyFramer } from '../../resp/reply-framer.js';
import { Outlet } from '../io/outlet.js';
import { createSocketWriter } from '../io/socket-writer.js';
import type { ReplySink } from '../request/reply-sink.js';
import { type KeysOfRequest, type Request, UNKNOWN_KEYS } from '../request/request.js';
import type { ReplySource, Requester } from '../request/requester.js';
import { Greeting } from './greeting.js';
import type { LaneKind } from './lane-kind.js';
import type { LanePool, LaneWaiter } from './lane-pool.js';
import { ReplyCarry } from './reply-carry.js';
import type { UpstreamNode } from './upstream-node.js';

const IDLE = 0;
const CONNECTING = 1;
const GREETING = 2;
const READY = 3;
const CLOSED = 4;

/** Requests of others wait at most about this long behind a large reply whose client does not read. */
const OTHERS_WAIT_MS = 200;
/** A timer that is so late means that the process stood still. */
const STOOD_STILL_MS = 500;
/** A script that runs for longer keeps its lane for itself. */
const LONG_CODE_MS = 50;
/** A reply above this size is handed to its client as it comes, where it is the client's turn. */
const PASS_BYTES = 16_384;
const ERROR_BYTE = 0x2d;
const PUSH_BYTE = 0x3e;
const BULK_BYTE = 0x24;

/** Why a lane ended, which decides what the node is held for. */
export type LaneEnd = 'connect' | 'greeting' | 'refused' | 'turned-away' | 'lost' | 'timeout' | 'protocol' | 'closed';

/**
 * A node that runs a script says nothing at all until `busy-reply-threshold`, which is as long as `request-timeout` by
 * default: commands that wait for it are given this much more. Milliseconds.
 */
const BUSY_GRACE_MS = 1000;

export class Lane implements ReplySource {
  readonly node: UpstreamNode;
  readonly kind: LaneKind;
  /** Index of the kind in the node's table of lanes. */
  readonly kindIndex: number;
  readonly outlet: Outlet;
  /** Whether further commands may be sent here: false once it ended or was given to one large reply. */
  accepting = true;
  /** The one client that uses the lane; null: it is shared. */
  owner: Requester | null = null;
  /** Where the lane goes when its client does not need it any more; null: it is shared. */
  pool: LanePool | null = null;
  /** How much longer than other commands those of this lane may take, because they wait at the node. Milliseconds. */
  patience = 0;
  /** CLIENT UNBLOCKs for this connection that are not answered: until then nobody else may wait on it. */
  unblocks = 0;
  /** A script that takes long holds it up: until that has ended, or for good where the lane was shared and is retired. */
  isBehindCode = false;
  /** Called once when nothing is in flight any more, or the lane has ended. */
  whenIdle: ((lane: Lane) => void) | null = null;
  /** The client that the lane's reading waits for, because it does not take its large reply. */
  pausedFor: Requester | null = null;
  pausedAt = 0;
  /** Others wait behind a large reply whose client is slow: it is taken into memory instead of waiting further. */
  absorbs = false;
  /** Requests whose replies are still to come. */
  inflight = 0;
  /** Digests of the scripts that it has loaded at its node; null: none. */
  scripts: Set<string> | null = null;
  /** A client is still sending the last command: until that is whole, the node is not to answer it. */
  isReceiving = false;
  /** When the lane last had something to do, by the clock. */
  lastUsedAt = 0;
  /** The node's number of this connection (CLIENT ID), or -1. */
  connectionId = -1;
  /** The run id of the node's process, where it was asked because the ring changes; otherwise empty. */
  runId = '';
  /** The proxy's end of this connection as the node sees it, or empty. */
  peer = '';
  /** Clients that wait until the lane takes commands again. */
  readonly waiting = new Set<LaneWaiter>();

  #state = IDLE;
  #socket: Socket | null = null;
  #head: Request | null = null;
  #tail: Request | null = null;
  readonly #framer = new ReplyFramer();
  #receive: Buffer;
  readonly #sharesReceive: boolean;
  readonly #carry = new ReplyCarry();
  #inReply = false;
  #streaming = false;
  /** Whether this stream may stop the lane's reading for a slow client: only where nobody else is to wait for it. */
  #mayPause = false;
  #lastReplyAt = 0;
  /** When the node was last seen to take bytes that waited for it, and how many it had taken by then. */
  #lastSentAt = 0;
  #sent = 0;
  #endsWhenIdle = false;
  #answered = 0;
  /** Who waits until so many requests were answered. */
  #fences: { readonly at: number; readonly resolve: () => void }[] = [];
  #connectTimer: NodeJS.Timeout | null = null;
  #greeting: Greeting | null = null;

  /** @param receive the buffer to read into, which others may share; null: one of its own */
  constructor(node: UpstreamNode, kind: LaneKind, kindIndex: number, receive: Buffer | null = null) {
    this.node = node;
    this.kind = kind;
    this.kindIndex = kindIndex;
    this.#sharesReceive = receive !== null;
    this.#receive = receive ?? node.shared.lanePools.large.take();
    this.outlet = new Outlet(node.shared.turn, node.shared.lanePools, { onDrained: () => this.#onDrained() });
  }

  /** How many requests were answered. */
  get answered(): number {
    return this.#answered;
  }

  get ready(): boolean {
    return this.#state === READY;
  }

  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** The request whose reply is to come next, or null. */
  get head(): Request | null {
    return this.#head;
  }

  /** Whether the lane has as much in flight as it may. */
  get full(): boolean {
    const { nodeMaxInflight, nodeMaxPendingBytes } = this.node.shared.options;
    return this.inflight >= nodeMaxInflight || this.outlet.pending >= nodeMaxPendingBytes;
  }

  /** Puts a request behind those that wait; its frame must have been appended to the outlet in the same order. */
  enqueue(request: Request): void {
    request.nextOfLane = null;
    if (this.#tail === null) this.#head = request;
    else this.#tail.nextOfLane = request;
    this.#tail = request;
    this.inflight++;
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
    const { requests, clock } = this.node.shared;
    const request = requests.take();
    if (sink !== null) request.answerTo(sink);
    request.keys = keys;
    request.startedAt = clock.now;
    this.send(request, frame, 0, frame.length);
  }

  /** Puts a request back that was answered just now, since it stands for further replies, in front of the others. */
  expectAgain(request: Request): void {
    if (this.#head === null) this.#tail = request;
    request.nextOfLane = this.#head;
    this.#head = request;
    this.inflight++;
    this.#answered--;
  }

  open(): void {
    if (this.#state !== IDLE) return;
    this.#state = CONNECTING;
    const { options } = this.node.shared;
    const onread = {
      buffer: () => this.#receive,
      callback: (length: number, chunk: Uint8Array): boolean => {
        this.#onChunk(length, chunk as Buffer);
        return true;
      },
    };
    const socket = openSocket(this.node.target, onread);
    this.#socket = socket;
    socket.once('connect', () => this.#onConnected(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onSocketEnd(systemFailure(error)));
    socket.on('end', () => this.#onSocketEnd(failure('closed')));
    socket.on('close', () => this.#onSocketEnd(failure('closed')));
    this.#awaitGreeting(options.connectTimeout, 0);
  }

  /** @param waited for how long it was waited already, in milliseconds */
  #awaitGreeting(milliseconds: number, waited: number): void {
    const since = performance.now();
    this.#connectTimer = setTimeout(() => {
      // Timers run before sockets are read: that this process stood still is not the node's fault.
      const late = performance.now() - since - milliseconds;
      if (late > STOOD_STILL_MS) {
        this.#awaitGreeting(Math.min(late, milliseconds), waited);
        return;
      }
      const { connectTimeout, requestTimeout } = this.node.shared.options;
      const total = waited + milliseconds;
      // The node's kernel has taken the connection; the node will, when its script lets it.
      if (this.#state === GREETING && this.node.runsLongCode && total < requestTimeout + BUSY_GRACE_MS) {
        this.#awaitGreeting(Math.min(connectTimeout, requestTimeout + BUSY_GRACE_MS - total), total);
      } else this.end('connect', predicateOf(timedOut(total)));
    }, milliseconds);
  }

  /** Settles when the last request was answered that is in flight now and matters, or the lane has ended. */
  answeredSoFar(matters: (request: Request) => boolean): Promise<void> {
    let count = 0;
    let last = 0;
    for (let request = this.#head; request !== null; request = request.nextOfLane) {
      count++;
      if (matters(request)) last = count;
    }
    if (last === 0) return Promise.resolve();
    return new Promise((resolve) => this.#fences.push({ at: this.#answered + last, resolve }));
  }

  /** The first request in flight that matters, or null. */
  find(matters: (request: Request) => boolean): Request | null {
    let request = this.#head;
    while (request !== null && !matters(request)) request = request.nextOfLane;
    return request;
  }

  /** The client whose large reply is being passed on as it comes, or null. */
  get streamsTo(): Requester | null {
    return this.#streaming ? (this.#head?.client ?? null) : null;
  }

  /** A large reply is on its way, whosever it is. */
  get isStreaming(): boolean {
    return this.#streaming;
  }

  /** Takes no further commands, and ends when those in flight are answered. */
  retire(): void {
    this.accepting = false;
    if (this.inflight === 0) this.end('closed', 'is retired');
    else this.#endsWhenIdle = true;
  }

  /** Ends the lane: its socket is destroyed, and every request that still waits is failed with `why`. */
  end(reason: LaneEnd, why: string): void {
    if (this.#state === CLOSED) return;
    const wasReady = this.#state === READY;
    this.#state = CLOSED;
    this.accepting = false;
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.outlet.close();
    this.#socket?.destroy();
    this.#carry.take(false);
    this.node.onLaneEnd(this, reason, why, wasReady);
    this.#failAll(reason, why);
    this.#releaseWaiting();
    for (const fence of this.#fences.splice(0)) fence.resolve();
    this.#tellIdle();
  }

  /** Stops reading until `resume`, because `client` cannot take what comes. */
  pause(client: Requester): void {
    if (this.pausedFor !== null || this.#socket === null) return;
    this.pausedFor = client;
    this.pausedAt = this.node.shared.clock.now;
    this.#socket.pause();
  }

  resume(): void {
    if (this.pausedFor === null) return;
    this.pausedFor = null;
    this.#lastReplyAt = this.node.shared.clock.read();
    this.#socket?.resume();
  }

  /** Keeps a client that does not take its large reply from holding up the requests behind it for long. */
  checkPause(now: number): void {
    const client = this.pausedFor;
    if (client === null || this.absorbs || now - this.pausedAt < OTHERS_WAIT_MS) return;
    let behind = this.#head?.nextOfLane ?? null;
    while (behind !== null && behind.client === client) behind = behind.nextOfLane;
    if (behind === null) return;
    this.absorbs = true;
    client.releaseLane(this);
  }

  /** Ends the lane when the request at its head has waited longer than the request timeout. */
  checkTimeout(now: number): void {
    const head = this.#head;
    if (head === null || this.pausedFor !== null || this.#state !== READY) return;
    this.#watchSending(now);
    const { requestTimeout } = this.node.shared.options;
    const grace = this.node.runsLongCode ? BUSY_GRACE_MS : 0;
    const since = Math.max(head.startedAt, this.#lastReplyAt, this.#lastSentAt);
    if (now - since <= requestTimeout + this.patience + grace) return;
    // It lives, and says so to others.
    if (this.isBehindCode && this.node.busy.reply !== null) return;
    this.node.counters.timeouts++;
    this.end('timeout', predicateOf(timedOut(requestTimeout)));
  }

  /** The time of a command begins when it has been sent whole: not while its client, or the way to the node, is slow. */
  #watchSending(now: number): void {
    const { pending, written } = this.outlet;
    const waitsForClient = this.isReceiving && this.#head === this.#tail && pending === 0;
    if (!waitsForClient && (pending === 0 || written === this.#sent)) return;
    this.#sent = written;
    this.#lastSentAt = now;
  }

  /** Whether a command has had no answer for this long. Milliseconds. */
  isSilent(now: number, milliseconds: number): boolean {
    const head = this.#head;
    if (head === null || this.pausedFor !== null || this.isBehindCode) return false;
    return now - Math.max(head.startedAt, this.#lastReplyAt, this.#lastSentAt) > milliseconds;
  }

  /**
   * A node that runs a script reads nothing further from the connection that the script came by. So a shared lane
   * whose script takes long carries no further commands, and whoever comes next is told by the node that it is busy.
   * @returns whether it is seen now that a script holds the lane up
   */
  noticeLongCode(now: number): boolean {
    const head = this.#head;
    if (head === null || this.isBehindCode) return false;
    const isShared = this.owner === null;
    if (isShared && !this.accepting) return false;
    if (now - Math.max(head.startedAt, this.#lastReplyAt) < LONG_CODE_MS) return false;
    // Replies to what came in one piece with the script are not sent before it has ended.
    let code: Request | null = head;
    while (code !== null && !code.runsCode) code = code.nextOfLane;
    if (code === null) return false;
    this.isBehindCode = true;
    if (isShared) {
      this.accepting = false;
      this.#endsWhenIdle = true;
      this.node.onLaneRetired(this);
    }
    return true;
  }

  #onConnected(socket: Socket): void {
    if (this.#state !== CONNECTING) return;
    this.#state = GREETING;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, this.node.shared.options.tcpKeepalive);
    const connectionName = `ringproxy:${this.node.shared.options.proxyId}`;
    const { login, late, asksRunId, hasReadyLane } = this.node;
    const isOneOfMany = this.pool !== null || hasReadyLane;
    this.#greeting = new Greeting(this.kind, { login, connectionName, isOneOfMany, asksRunId, late });
    socket.write(this.#greeting.bytes);
  }

  #onGreetingReply(greeting: Greeting, buffer: Buffer, start: number, end: number): void {
    const outcome = greeting.onReply(buffer, start, end);
    if (typeof outcome === 'object') {
      this.end(outcome.reason, outcome.why);
      return;
    }
    if (outcome === 'more') return;
    const { connectionId, runId, peer } = greeting.greeted;
    this.connectionId = connectionId;
    this.runId = runId;
    this.peer = peer;
    this.#becomeReady();
  }

  #becomeReady(): void {
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#state = READY;
    const now = this.node.shared.clock.read();
    this.#lastReplyAt = now;
    this.lastUsedAt = now;
    const socket = this.#socket;
    if (socket === null) return;
    this.node.shared.options.mayServe();
    this.outlet.attach(createSocketWriter(socket, this.outlet));
    this.node.onLaneReady(this);
  }

  #onChunk(length: number, chunk: Buffer): void {
    if (this.#state === CLOSED) return;
    const { clock } = this.node.shared;
    const now = clock.read();
    this.#lastReplyAt = now;
    const framer = this.#framer;
    this.node.counters.bytesIn += length;
    let at = 0;
    while (at < length) {
      const end = framer.advance(chunk, at, length);
      if (end < 0) {
        this.end('protocol', predicateOf(failure('protocol')));
        return;
      }
      if (!this.#inReply && framer.complete) this.#onReply(chunk, at, end);
      else this.#onPiece(chunk, at, end, framer.complete);
      if (this.#state >= CLOSED) return;
      at = end;
    }
    if (this.waiting.size > 0 && !this.full) this.#releaseWaiting();
    if (this.inflight > 0) return;
    if (this.#endsWhenIdle) this.end('closed', 'is retired');
    else if (this.whenIdle !== null) this.#tellIdle();
  }

  #tellIdle(): void {
    const tell = this.whenIdle;
    this.whenIdle = null;
    tell?.(this);
  }

  /** A whole reply in one piece. */
  #onReply(buffer: Buffer, start: number, end: number): void {
    if (this.#state === GREETING && this.#greeting !== null) {
      this.#onGreetingReply(this.#greeting, buffer, start, end);
      return;
    }
    // Out-of-band messages of RESP3 answer no request.
    if (this.#framer.type === PUSH_BYTE) return;
    const request = this.#head;
    if (request === null) {
      const said = buffer[start] === ERROR_BYTE ? buffer.toString('utf8', start + 1, end - 2) : '';
      this.end('protocol', predicateOf(failure('unasked', said)));
      return;
    }
    if (
      end - start > PASS_BYTES &&
      this.#isPassable(request) &&
      buffer[start] === BULK_BYTE &&
      buffer === this.#receive
    ) {
      this.#stream(buffer, start, end, true);
      return;
    }
    this.#pop(request);
    const failed = buffer[start] === ERROR_BYTE;
    if (failed) this.node.trouble.note(buffer, start, end, this.node.shared.clock.now);
    this.node.answered(request, failed);
    request.sink.onReply(request, buffer, start, end);
  }

  /** A piece of a reply that is not whole in this chunk; `last`: it ends here. */
  #onPiece(buffer: Buffer, start: number, end: number, last: boolean): void {
    if (this.#streaming) {
      this.#stream(buffer, start, end, last);
      return;
    }
    this.#inReply = true;
    const request = this.#head;
    const size = this.#carry.used + (end - start) + this.#framer.bulkRemaining;
    if (request !== null && size > PASS_BYTES && this.#state === READY && this.#framer.type !== PUSH_BYTE) {
      const large = size > this.node.shared.options.streamThreshold;
      if (large && request.stream !== null) {
        this.#beginStream(request);
        this.#streamCarry();
        if (!this.closed) this.#stream(buffer, start, end, last);
        return;
      }
      if (this.#carry.used === 0 && this.#isPassable(request)) {
        this.#streaming = true;
        this.#mayPause = false;
        this.#stream(buffer, start, end, last);
        return;
      }
    }
    this.#carry.gather(buffer, start, end, this.#framer.bulkRemaining);
    if (!last) return;
    const { used } = this.#carry;
    const reply = this.#carry.take(true);
    this.#inReply = false;
    if (reply !== null) this.#onReply(reply, 0, used);
  }

  /** Whether the reply at the head can go straight to its client. */
  #isPassable(request: Request): boolean {
    return request.stream?.isNext(request) === true;
  }

  /** What was gathered before the reply turned out to be large. */
  #streamCarry(): void {
    const { used } = this.#carry;
    const carry = this.#carry.take(false);
    if (carry !== null) this.#stream(carry, 0, used, false);
  }

  /**
   * The head's reply is large: from now on it is passed on as it comes. Nobody else shall wait behind it,
   * so a shared lane takes no further commands, and its client gets lanes of its own.
   */
  #beginStream(request: Request): void {
    this.#streaming = true;
    this.#mayPause = true;
    if (this.owner === null) {
      this.accepting = false;
      this.node.onLaneRetired(this);
      request.client?.onLargeReply();
    }
  }

  #stream(buffer: Buffer, start: number, end: number, last: boolean): void {
    const request = this.#head as Request;
    if (last) {
      this.#streaming = false;
      this.#inReply = false;
      this.#pop(request);
      this.node.answered(request, false);
    }
    const stream = request.stream ?? this.node.shared.requests.nobody;
    if (this.#sharesReceive && buffer === this.#receive) {
      // Others will read into it before the client has taken these bytes.
      const bytes = Buffer.from(buffer.subarray(start, end));
      stream.onReplyPiece(request, this.#mayPause ? this : null, bytes, 0, bytes.length, last);
      return;
    }
    const reusable = stream.onReplyPiece(request, this.#mayPause ? this : null, buffer, start, end, last);
    // The kernel still reads from the receive buffer: the next chunk needs another one.
    if (!reusable && buffer === this.#receive) this.#receive = this.node.shared.lanePools.large.take();
  }

  #pop(request: Request): void {
    if (this.isBehindCode && this.owner !== null) {
      this.isBehindCode = false;
      this.node.onCodeEnd();
    }
    // How long a command waited for others says nothing of the node.
    if (this.patience > 0) request.startedAt = this.node.shared.clock.now;
    this.#head = request.nextOfLane;
    if (this.#head === null) {
      this.#tail = null;
      this.lastUsedAt = this.node.shared.clock.now;
    }
    this.inflight--;
    this.#answered++;
    if (this.#fences.length > 0) this.#passFences();
  }

  #passFences(): void {
    const passed = this.#fences.filter(({ at }) => at <= this.#answered);
    if (passed.length === 0) return;
    this.#fences = this.#fences.filter(({ at }) => at > this.#answered);
    for (const { resolve } of passed) resolve();
  }

  #onDrained(): void {
    if (this.waiting.size > 0 && !this.full) this.#releaseWaiting();
  }

  #releaseWaiting(): void {
    const clients = [...this.waiting];
    this.waiting.clear();
    for (const client of clients) client.resumeSoon();
  }

  #onSocketEnd(found: Failure): void {
    if (this.#state === CLOSED) return;
    const why = predicateOf(found);
    if (this.#state === GREETING) this.end('greeting', `${why}${this.#greeting?.complaint ?? ''}`);
    else this.end(this.#state === READY ? 'lost' : 'connect', why);
  }

  #failAll(reason: LaneEnd, why: string): void {
    let request = this.#head;
    this.#head = null;
    this.#tail = null;
    this.inflight = 0;
    if (request === null) return;
    const neverSent = ['connect', 'greeting', 'refused', 'turned-away'].includes(reason);
    const outcome = neverSent ? '' : '; the outcome of the command is unknown';
    const code = reason === 'refused' || reason === 'turned-away' ? 'ERR' : 'NODEDOWN';
    const reply = encodeError(`${code} node ${this.node.name} (${this.node.address}) ${why}${outcome}`);
    let cut = this.#streaming;
    while (request !== null) {
      const next: Request | null = request.nextOfLane;
      this.node.answered(request, true);
      if (cut && request.stream !== null) request.stream.onReplyCut(request, reply);
      else request.sink.onFailure(request, reply);
      cut = false;
      request = next;
    }
  }
}
