/**
 * A client's connection: its bytes become frames, frames become requests, replies leave in the order of
 * the requests.
 *
 *   chunk → framer → dispatcher → lanes …           (onReceived, #process)
 *   … lanes → onReply → reply queue → outlet        (a reply that is not the head's is held)
 *
 * A chunk belongs to all clients together and is handled before the next one is read; only what cannot be
 * handled yet (a cut frame, or everything while the client is blocked) is kept in the client's own carry.
 *
 * Bounds: requests in flight (`#most`), bytes that the client does not read (`clientOutputLimit`), bytes
 * of a frame (`clientQueryLimit`). At a bound the client's socket is not read until it is over.
 *
 * The file is long because whether a client is read (paused, held, behind a barrier, ending) is decided in one place.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Command } from '../../commands/command.js';
import type { User } from '../../commands/rights/user.js';
import { error as encodeError } from '../../resp/encode.js';
import { COMPLETE, INCOMPLETE, isTlsGreeting, type RequestFramer } from '../../resp/request-framer.js';
import { certificateName } from '../../tls/shown-certificate.js';
import { type ClientEvent, type CommandFailedEvent, clientClosed, commandFailed, type HoldEvent } from '../events.js';
import type { Receiver } from '../io/batch/batch-reads.js';
import { Outlet } from '../io/outlet.js';
import { readInto } from '../io/raw-socket.js';
import { createSocketWriter } from '../io/socket-writer.js';
import type { TurnTask } from '../io/turn.js';
import { countCacheRead, KEY_READ, NO_READ } from '../measure/cache-reads.js';
import { NO_GROUP } from '../measure/key-groups.js';
import { DONE, type Request } from '../request/request.js';
import type { ReplySource, Requester } from '../request/requester.js';
import { ANSWERED, LATER, TAKEN } from '../request/verdict.js';
import type { Lane } from '../upstream/lane.js';
import type { LaneKind } from '../upstream/lane-kind.js';
import type { LaneWaiter } from '../upstream/lane-pool.js';
import type { Login } from '../users/users.js';
import { Carry } from './carry.js';
import { ClientIdentity } from './client-identity.js';
import { ClientLanes } from './client-lanes.js';
import type { FrameHandler } from './frame-handler.js';
import type { Counted, CountedClient } from './limits/client-limits.js';
import { QUIET_MS } from './lingering.js';
import { ATTENDED, AWAITS_FILL, LISTENS, METERED, type Mode, RESTRICTED, TRACKS } from './modes.js';
import { ReplyMode } from './reply-mode.js';
import { ReplyQueue } from './reply-queue.js';
import { RingWait } from './ring-wait.js';
import type { ClientShared } from './session-shared.js';
import { StallWatch } from './stall-watch.js';
import { tooSlow } from './upload.js';
import { type UploadingClient, Uploads } from './uploads.js';
import type { Waiting } from './waiting.js';
import { firstWindow, Window } from './window.js';

/** There is room at once for a request that says it is this long. */
const BELIEVED_BYTES = 1_048_576;
/** What a client may send while its command waits at a node. */
const BLOCKED_CARRY = 1_048_576;
/** Bytes of errors that wait for a client which has not authenticated, and does not read: more cost the proxy memory. */
const STRANGER_OUTPUT = 16_384;
/** A client that has done nothing for so long gives its own lanes back. Milliseconds. */
const LANES_IDLE_MS = 10_000;
/** What whoever speaks TLS where that is not spoken did. */
const TLS_ELSEWHERE = 'sent TLS to an address where plain connections are served: TLS is served at tls-listen';
/** An event says this much of an error. */
const MOST_ERROR_BYTES = 200;

export class ClientConnection implements Receiver, TurnTask, Requester, LaneWaiter, UploadingClient, CountedClient {
  // What each command looks at comes first, next to each other, and what few clients need is made when they do: with many
  // clients the time goes into memory that is in no cache.
  readonly outlet: Outlet;
  readonly lanes: ClientLanes;
  readonly #shared: ClientShared;
  readonly #handler: FrameHandler;
  readonly #replies: ReplyQueue;
  /** What it is counted by where clients of its address, or user, may do only so much; null: they may do what they like. */
  counted: Counted | null = null;
  /** Its own, while a frame is cut or it has not authenticated; null: the common one. */
  #framer: RequestFramer | null = null;
  #carry: Carry | null = null;
  #uploads: Uploads | null = null;
  #replyMode: ReplyMode | null = null;
  #ringWait: RingWait | null = null;
  #blockedBy: Waiting | null = null;
  #lastCommand: Command | null = null;
  #modes = 0;
  /** Requests that may be in flight. */
  #most: number;
  /** Bytes that it has not taken at which it is not read. */
  #outputLimit = 0;
  /** Whole milliseconds: a number with a fraction would be an object of its own. */
  #lastActiveAt: number;
  #received = 0;
  /** Where the bytes at hand end, the last that have come. */
  #handEnd = 0;
  #authenticated: boolean;
  #closed = false;
  /** The socket is not read. */
  #paused = false;
  /** No frame is handled until everything in flight is answered. */
  #barrier = false;
  /** No frame is handled until `resumeSoon`. */
  #held = false;
  /** Nothing is read any more; the connection ends when the last reply has left. */
  #ending = false;
  /** The client sends nothing more, but may still read the replies to what it has sent. */
  #inputEnded = false;
  #collectsReply = false;

  readonly id: number;
  readonly address: string;
  readonly connectedAt: number;
  readonly identity = new ClientIdentity();
  readonly #socket: Socket;
  readonly #stall: StallWatch;
  #window: Window | null = null;
  #processBytes: ((buffer: Buffer, start: number, end: number) => number) | null = null;
  #resumeScheduled = false;
  #endReason = '';
  /** Replies may be on their way to it, and it may have sent what is not read: see `Lingering`. */
  #lingers = false;
  #user: User;
  #credential = '';
  #sourceReads = 0;
  #collected: Buffer | null = null;
  #isBehindReads = false;
  /** Of the command that was metered last: where it begins among the bytes that have come, and whether it was counted. */
  #meteredAt = -1;
  #isMetered = false;

  constructor(id: number, socket: Socket, shared: ClientShared, handler: FrameHandler) {
    this.id = id;
    this.#shared = shared;
    this.#handler = handler;
    this.#socket = socket;
    this.address = socket.remoteAddress === undefined ? 'unix' : `${socket.remoteAddress}:${socket.remotePort}`;
    this.connectedAt = Date.now();
    this.#lastActiveAt = Math.floor(shared.clock.read());
    this.#user = shared.users.default;
    this.#authenticated = shared.users.areOpen;
    if (!this.#user.isAll) this.#modes |= RESTRICTED;
    this.#outputLimit = this.#authenticated ? shared.options.clientOutputLimit : STRANGER_OUTPUT;
    if (!this.#authenticated) this.#framer = shared.framers.forStranger();
    this.#most = firstWindow(shared.options.clientMaxPending);
    this.outlet = new Outlet(shared.turn, shared.clientPools, {
      onDrained: () => this.#onDrained(),
    });
    this.#replies = new ReplyQueue(this, shared, this.outlet);
    this.lanes = new ClientLanes(this, this.#replies);
    this.#stall = new StallWatch(this.outlet, shared.clock.now);
    this.outlet.attach(createSocketWriter(socket, this.outlet));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, shared.options.tcpKeepalive);
    socket.on('error', (error) => this.close(`connection failed: ${error.message}`));
    // Behind what was read early (below), which is handled in the next tick.
    socket.on('end', () => process.nextTick(() => this.#onEnd()));
    socket.on('close', () => this.close(''));
    const early: unknown = socket.readableLength > 0 ? socket.read() : null;
    readInto(socket, this);
    // A socket that another process has handed over may have been read before it was ours to read.
    if (early instanceof Buffer) process.nextTick(() => this.onReceived(early.length, early));
    socket.resume();
  }

  /** Where it came in: asked for when somebody wants it, since the kernel is, for each connection. */
  get localAddress(): string {
    const { localAddress, localPort } = this.#socket;
    return localAddress === undefined ? 'unix' : `${localAddress}:${localPort}`;
  }

  /** Common name of the certificate that it has shown and that was checked; null: none. It stays what it is. */
  get certificateName(): string | null {
    return this.#socket instanceof TLSSocket ? certificateName(this.#socket) : null;
  }

  /** Whether it wants replies. */
  get replyMode(): ReplyMode {
    this.#replyMode ??= new ReplyMode();
    return this.#replyMode;
  }

  /** What it calls itself, or empty. */
  get name(): string {
    return this.identity.name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** Enters what concerns its commands or its replies (`modes.ts`). */
  enter(mode: Mode): void {
    this.#modes |= mode;
  }

  leave(mode: Mode): void {
    this.#modes &= ~mode;
  }

  /** Whether it is in one of these modes. @param modes as one number */
  isIn(modes: number): boolean {
    return (this.#modes & modes) !== 0;
  }

  /** Whether its commands must be looked at more closely than others'. */
  get isUnusual(): boolean {
    return (this.#modes & ATTENDED) !== 0;
  }

  /** The command that it has sent last, or null. */
  get lastCommand(): Command | null {
    return this.#lastCommand;
  }

  noteCommand(command: Command): void {
    this.#lastCommand = command;
  }

  /** When something last came from it, by the clock. */
  get lastActiveAt(): number {
    return this.#lastActiveAt;
  }

  /** Requests that were asked of a node which their key may have left; other commands on moved keys wait for them. */
  get sourceReads(): number {
    return this.#sourceReads;
  }

  beginSourceRead(): void {
    this.#sourceReads++;
  }

  endSourceRead(): void {
    this.#sourceReads--;
  }

  /** Its commands are handled behind all that was read in this turn of the event loop. */
  get isBehindReads(): boolean {
    return this.#isBehindReads;
  }

  /** What it waits for at a node, or null: nothing of its is handled until that has ended. */
  get blocked(): Waiting | null {
    return this.#blockedBy;
  }

  blockOn(waiting: Waiting): void {
    this.#blockedBy = waiting;
  }

  /** The wait is over, unless it is for something else that the client waits by now. */
  unblock(waiting: Waiting): void {
    if (this.#blockedBy !== waiting) return;
    this.#blockedBy = null;
    this.resumeSoon();
  }

  /** What the proxy answers now becomes a part of EXEC's reply. */
  get collectsReply(): boolean {
    return this.#collectsReply;
  }

  /** @returns what the proxy answers to the command that `run` handles, which is not sent; null: nothing */
  collectReply(run: () => void): Buffer | null {
    this.#collectsReply = true;
    this.#collected = null;
    run();
    this.#collectsReply = false;
    return this.#collected;
  }

  /** Bytes that have come from it. */
  get received(): number {
    return this.#received;
  }

  /** Bytes that it has sent up to the end of the command that `framer` holds: tells its commands apart. */
  offsetBehind(framer: RequestFramer): number {
    return this.#received - (this.#handEnd - framer.frameEnd);
  }

  /** Bytes that were received and are not handled yet. */
  get queryBytes(): number {
    return this.#carry === null ? 0 : this.#carry.size;
  }

  /** The client sends nothing more. */
  get inputHasEnded(): boolean {
    return this.#inputEnded;
  }

  get uploading(): boolean {
    return this.#uploads?.active === true;
  }

  /** The request whose reply is to leave next, or null. */
  get head(): Request | null {
    return this.#replies.head;
  }

  /** The request that came last of those whose replies have not left yet, or null. */
  get lastRequest(): Request | null {
    return this.#replies.tail;
  }

  /** Requests whose replies have not left yet. */
  get pending(): number {
    return this.#replies.pending;
  }

  /** Requests that it ever had; those without `pending` were answered. */
  get enqueued(): number {
    return this.#replies.enqueued;
  }

  /** Whether a reply is still to come from this lane. */
  hasPendingOn(lane: ReplySource): boolean {
    return this.#replies.hasPendingOn(lane);
  }

  /** The protocol that it speaks, and its database. */
  get kind(): LaneKind {
    return this.lanes.kind;
  }

  /** Who it is: until it has said so, the user `default`. */
  get user(): User {
    return this.#user;
  }

  /** Whether its commands, and transactions, may run over several nodes. */
  get crossNode(): 'allow' | 'refuse' {
    const { crossNode, crossNodeUsers } = this.#shared.options;
    const { name } = this.#user;
    return Object.hasOwn(crossNodeUsers, name) ? (crossNodeUsers[name] ?? crossNode) : crossNode;
  }

  /** The digest of the password by which it has become its user; empty: none was needed. */
  get credential(): string {
    return this.#credential;
  }

  /** It is this user from now on, and authenticated. */
  logIn({ user, credential }: Login): void {
    this.#credential = credential;
    this.becomeUser(user);
    this.#authenticated = true;
    if (this.#framer !== null) this.#shared.framers.admit(this.#framer, true);
    this.#outputLimit = this.#shared.options.clientOutputLimit;
  }

  /** Its user has other rights from now on. */
  becomeUser(user: User): void {
    this.#user = user;
    if (user.isAll) this.leave(RESTRICTED);
    else this.enter(RESTRICTED);
  }

  /** It is as if it had just come: the user `default`, authenticated where that needs no password. */
  logOut(): void {
    const { users, framers } = this.#shared;
    this.#credential = '';
    this.becomeUser(users.default);
    this.#authenticated = users.areOpen;
    if (this.#framer !== null) framers.admit(this.#framer, users.areOpen);
    else if (!users.areOpen) this.#framer = framers.forStranger();
    if (users.areOpen) this.#outputLimit = this.#shared.options.clientOutputLimit;
  }

  /** A request for the command with this id, behind those that wait for their replies: whose frame goes nowhere yet. */
  begin(command: number): Request {
    const request = this.#shared.requests.take();
    request.command = command;
    this.enqueue(request);
    return request;
  }

  /** Puts a request behind those that wait for their replies. */
  enqueue(request: Request): void {
    request.client = this;
    request.streamTo(this);
    if (this.#ringWait?.active === true) this.#ringWait.end(this.#shared.clock.now, 'ran');
    request.startedAt = this.#shared.clock.now;
    const { groups } = this.#shared.counters;
    request.silent = this.#takesSilently();
    this.#replies.enqueue(request);
    if (!groups.active) return;
    request.group = groups.atHand;
    const { companion } = groups;
    if (companion === null) return;
    groups.companion = null;
    request.companion = companion;
    companion.onSent(request);
  }

  /** Answers the command at hand with `reply`, behind the replies that are still to come. */
  reply(command: number, reply: Buffer, failed = false): void {
    if (this.#closed) return;
    if (this.#collectsReply) {
      this.#collected = reply;
      return;
    }
    const { counters } = this.#shared;
    counters.answered(command, counters.groups.active ? counters.groups.atHand : NO_GROUP, 0, failed);
    if (failed) this.#noteFailure(command, reply, 0, reply.length);
    if (this.pending === 0) {
      if (!this.#takesSilently()) this.#replies.send(reply);
      return;
    }
    const request = this.#shared.requests.take();
    this.enqueue(request);
    request.command = command;
    request.state = DONE;
    if (!request.silent) this.#shared.holds.hold(request, reply, 0, reply.length);
  }

  /** Answers the command at hand with a copy of `source[start, end)`, which is no error, as `reply` does. */
  replyCopy(command: number, source: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    const { counters, requests, holds } = this.#shared;
    counters.answered(command, counters.groups.active ? counters.groups.atHand : NO_GROUP, 0, false);
    if (this.pending === 0) {
      if (!this.#takesSilently()) this.#replies.sendCopy(source, start, end);
      return;
    }
    const request = requests.take();
    this.enqueue(request);
    request.command = command;
    request.state = DONE;
    if (!request.silent) holds.hold(request, source, start, end);
  }

  /** Bytes of replies that it takes at once, since none is to come in front of them; 0: they must wait, or are not wanted. */
  get roomAtOnce(): number {
    if (this.#closed || this.pending > 0 || this.#replyMode?.isSilent === true) return 0;
    return Math.max(0, this.#outputLimit - this.outlet.pending);
  }

  /** Answers a command, for which there is `roomAtOnce`, with a copy of `source[start, end)`. It is not counted. @param words of `source` */
  answerAtOnce(source: Buffer, words: DataView, start: number, end: number): void {
    this.outlet.appendWords(source, words, start, end);
    this.#shared.counters.bytesOut += end - start;
  }

  /** A request's whole reply is `buffer[start, end)`. */
  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const shared = this.#shared;
    if (request.misses?.keeps(request, buffer, start, end)) return;
    const first = buffer[start] as number;
    const failed = first === 0x2d;
    shared.counters.answered(request.command, request.group, shared.clock.now - request.startedAt, failed);
    if (failed) this.#noteFailure(request.command, buffer, start, end);
    else if (request.cacheRead !== NO_READ) countCacheRead(shared.counters, request, buffer, start, end);
    if (this.#paused) this.#countReply(end - start);
    if (!this.#replies.take(request, buffer, start, end)) return;
    this.#onLeft();
  }

  onReplyPieces(request: Request, pieces: Buffer[]): void {
    if (request.misses !== null) {
      const whole = Buffer.concat(pieces);
      this.onReply(request, whole, 0, whole.length);
      return;
    }
    const shared = this.#shared;
    shared.counters.answered(request.command, request.group, shared.clock.now - request.startedAt, false);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#paused) this.#countReply(bytes);
    if (!this.#replies.takePieces(request, pieces, bytes)) return;
    this.#onLeft();
  }

  /** How many replies it may wait for hangs on how large they are, once it is to wait for them. */
  #countReply(bytes: number): void {
    this.#window ??= new Window(this.#shared.options.clientMaxPending);
    this.#window.onReply(bytes);
  }

  /** Called once for each command. @returns whether it is not answered */
  #takesSilently(): boolean {
    return this.#replyMode?.takesSilently() === true;
  }

  /** A reply has gone its way. */
  #onLeft(): void {
    if (this.#paused) this.#considerResuming();
    else if (this.#inputEnded) this.#endIfIdle();
  }

  /** As `onReply`, at once. @returns whether the client has left for good, as far as is known, and never reads it */
  onLastReply(request: Request, buffer: Buffer, start: number, end: number): boolean {
    this.onReply(request, buffer, start, end);
    return this.outlet.flushNow();
  }

  /** No reply comes: `reply` is the error that tells why. */
  onFailure(request: Request, reply: Buffer): void {
    this.onReply(request, reply, 0, reply.length);
  }

  isNext(request: Request): boolean {
    return this.#replies.head === request;
  }

  onLargeReply(): void {
    this.lanes.onLargeReply();
  }

  /**
   * A piece of a large reply; `last`: it ends here.
   * @param lane stops reading when this client does not take what comes; null: it must not
   * @returns false when `buffer` was given away to the write and must not be reused
   */
  onReplyPiece(
    request: Request,
    lane: ReplySource | null,
    buffer: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): boolean {
    const shared = this.#shared;
    if (last) {
      shared.counters.answered(request.command, request.group, shared.clock.now - request.startedAt, false);
      // Of an array that is streamed nobody looks at the elements.
      if (request.cacheRead === KEY_READ) shared.counters.read(request.group, true);
    }
    const reusable = this.#replies.takePiece(request, lane, buffer, start, end, last);
    if (last) this.#onLeft();
    return reusable;
  }

  /**
   * Sends a message that answers no command, as soon as no reply is in the middle. As in Redis, a client that does
   * not read what it has subscribed to is closed.
   * @param message belongs to everybody, so nobody writes to it
   */
  push(message: Buffer): void {
    if (this.#closed) return;
    this.#replies.push(message);
    if (this.#replies.unsentBytes > this.#shared.options.clientOutputLimit) this.close('did not read its messages');
  }

  /** The node went away in the middle of a large reply. */
  onReplyCut(request: Request, reply: Buffer): void {
    if (this.#replies.cut(request)) this.onReply(request, reply, 0, reply.length);
    // Half of the reply has left: nothing that could follow would make sense to the client.
    else this.close('a node went away in the middle of a reply');
  }

  /** A reply has left, and the client tracks keys. */
  onAnswered(): void {
    this.#handler.onAnswered(this);
  }

  /** No further frame is handled until all replies have left (SELECT and HELLO change lanes). */
  raiseBarrier(): void {
    if (this.pending === 0) return;
    this.#barrier = true;
    if (this.isIn(AWAITS_FILL)) this.#handler.onBarrier(this);
  }

  /** Nothing further is handled until all replies have left. */
  get isBehindBarrier(): boolean {
    return this.#barrier;
  }

  /** The client waits until a lane takes commands again; `resumeSoon` ends that. */
  waitFor(lane: Lane): void {
    this.#held = true;
    lane.resumeWithRoom(this);
  }

  /** The client waits until `resumeSoon`, however long that takes. */
  suspend(): void {
    this.#held = true;
  }

  /**
   * The client waits for the ring; `resumeSoon` ends that.
   * @param reason that the ring prepares to change, or that keys are on their way
   * @returns false when it has waited for this command as long as a request may take
   */
  hold(reason: HoldEvent['reason']): boolean {
    const { now } = this.#shared.clock;
    this.#ringWait ??= new RingWait(this);
    this.#ringWait.begin(now, reason);
    if (this.#ringWait.isLongerThan(this.#shared.options.requestTimeout, now)) {
      this.#ringWait.end(now, 'gave-up');
      return false;
    }
    this.#held = true;
    return true;
  }

  #noteFailure(id: number, buffer: Buffer, start: number, end: number): void {
    if (this.isIn(TRACKS)) this.#handler.onFailed(this);
    this.#shared.counters.errorKinds.count(buffer, start);
    if (!commandFailed.hasSubscribers) return;
    const { id: client, address } = this;
    const text = buffer.toString('utf8', start + 1, Math.min(end, start + 1 + MOST_ERROR_BYTES));
    const command = this.#handler.nameOf(id);
    const event: CommandFailedEvent = { client, address, command, error: text.split('\r\n', 1)[0] ?? '' };
    commandFailed.publish(event);
  }

  /** Handles what waits, at the end of the turn. */
  resumeSoon(): void {
    this.#held = false;
    if (this.#resumeScheduled || this.#closed) return;
    this.#resumeScheduled = true;
    this.#shared.turn.resume(this);
  }

  endOfTurn(): void {
    this.#resumeScheduled = false;
    this.#shared.clock.read();
    if (this.#closed || this.#ending || this.#blocked()) return;
    if (this.counted !== null && this.#waitsForLimit()) return;
    const wasPaused = this.#paused;
    this.#paused = false;
    this.#isBehindReads = true;
    if (this.queryBytes > 0) this.#processCarry();
    this.#isBehindReads = false;
    if (wasPaused && !this.#paused && !this.#closed) this.#socket.resume();
    if (this.#inputEnded) this.#endIfIdle();
  }

  /**
   * No further command is read; the connection ends when every reply has left.
   * @param reason as for `close`
   */
  endAfterReplies(reason = ''): void {
    if (!this.#ending) this.#lingers = !this.#isAtRest;
    this.#ending = true;
    this.#endReason = reason;
    this.#pause();
    this.#carry?.drop();
    this.#endIfIdle();
  }

  /** The proxy stops: what has come whole and was sent to a node is answered, then the connection ends. */
  stop(): void {
    if (this.#uploads?.end('the proxy stops') !== true) this.endAfterReplies();
    this.#blockedBy?.stop();
  }

  /** It has nothing to do, and neither has the proxy for it. */
  get #isAtRest(): boolean {
    if (this.#paused || this.pending > 0 || this.outlet.pending > 0 || this.queryBytes > 0) return false;
    return this.#shared.clock.now - this.#lastActiveAt > QUIET_MS;
  }

  /** Ends the connection at once. `reason` is empty when the client itself ended it. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#leave(reason, () => this.#socket.destroy());
  }

  /** @param endSocket behind the last that is written to it */
  #leave(reason: string, endSocket: () => void): void {
    this.#closed = true;
    this.outlet.close();
    endSocket();
    this.#carry?.drop();
    this.#blockedBy?.abandon();
    this.#replies.abandon();
    this.lanes.release();
    this.#uploads?.cut();
    this.#handler.onClosed(this);
    this.#shared.clients.delete(this);
    this.#shared.limits.end(this);
    if (clientClosed.hasSubscribers) {
      const event: ClientEvent = { client: this.id, address: this.address, reason };
      clientClosed.publish(event);
    }
  }

  /** Called about once a second: ends clients that are idle, or that do not take their replies. */
  tick(now: number): void {
    const { idleTimeout, clientStallTimeout } = this.#shared.options;
    const listens = this.isIn(LISTENS);
    const isIdle = this.pending === 0 && this.outlet.pending === 0 && !listens;
    if (idleTimeout > 0 && isIdle && now - this.#lastActiveAt > idleTimeout) {
      this.close(`idle for ${idleTimeout} ms`);
      return;
    }
    if (this.#stall.isLongerThan(clientStallTimeout, now)) {
      this.close(`did not read its replies for ${clientStallTimeout} ms`);
      return;
    }
    if (this.#isSlowSender(now)) return;
    // Whoever should wake it may be gone (a worker's primary that is stuck): it asks again, and is told to try later.
    if (this.#held && this.#ringWait?.isLongerThan(this.#shared.options.requestTimeout, now) === true)
      this.resumeSoon();
    if (this.pending === 0 && now - this.#lastActiveAt > LANES_IDLE_MS) this.lanes.onIdle();
  }

  /** Ends a client that does not send the large request to its end which it has begun. @returns whether it does not */
  #isSlowSender(now: number): boolean {
    const { clientStallTimeout, streamThreshold } = this.#shared.options;
    if (this.#uploads?.tick(now) === true) return true;
    if (this.uploading) return false;
    // Of a request that is gathered, what has come takes memory.
    const gathers = this.queryBytes >= streamThreshold && !this.#paused && this.#blockedBy === null;
    if (!gathers || now - this.#lastActiveAt <= clientStallTimeout) return false;
    this.#refuse(`ERR ${tooSlow(clientStallTimeout)}`);
    return true;
  }

  /** What its socket is read into. */
  get receiveBuffer(): Buffer {
    return this.#shared.receiveBuffer;
  }

  /** `chunk[0, length)` has come from it. */
  onReceived(length: number, chunk: Buffer): void {
    const shared = this.#shared;
    this.#lastActiveAt = Math.floor(shared.clock.read());
    if (this.#closed || this.#ending) return;
    shared.counters.bytesIn += length;
    this.#received += length;
    if (this.counted !== null && this.#waitsForLimit()) {
      this.#keep(chunk, 0, length);
      return;
    }
    if (this.#carry !== null && this.#carry.size > 0) {
      this.#keep(chunk, 0, length);
      if (!this.#held) this.#processCarry();
      return;
    }
    const consumed = this.#process(chunk, 0, length);
    if (consumed < length && !this.#closed && !this.#ending) this.#keep(chunk, consumed, length);
  }

  #processCarry(): void {
    // `close`, `endAfterReplies` and a blocked upload replace the carry.
    this.#processBytes ??= (buffer, start, end) => this.#process(buffer, start, end);
    this.#carry?.offer(this.#processBytes);
  }

  /** Handles frames in `buffer[start, end)`. @returns the offset behind what was handled */
  #process(buffer: Buffer, start: number, end: number): number {
    const { common } = this.#shared.framers;
    this.#handEnd = end;
    let at = start;
    let handled = 0;
    while (at < end) {
      if (this.#uploads?.active === true) {
        at = this.#uploads.pass(buffer, at, end, this.#shared.clock.now);
        if (this.#held || this.#closed) break;
        continue;
      }
      if (this.#blocked()) {
        // One that waits at a node is read on, so that it is noticed when it hangs up.
        if (this.#blockedBy === null || end - at > BLOCKED_CARRY) this.#pause();
        break;
      }
      const framer = this.#framer ?? common;
      const outcome = framer.next(buffer, at, end);
      if (outcome === COMPLETE) {
        const verdict = framer.argc > 0 ? this.#handler.onFrame(this, framer) : TAKEN;
        if (verdict === LATER) {
          if (this.#held) this.#handler.onHeld(this, buffer, framer.consumed, end);
          framer.reset();
          this.#pause();
          break;
        }
        at = framer.consumed;
        handled++;
        if (this.#closed || this.#ending) {
          this.#charge(handled, at - start);
          return end;
        }
        if (verdict === ANSWERED && at < end && this.counted === null)
          at = this.#handler.onAnsweredAtOnce(this, framer, buffer, at, end);
      } else if (outcome === INCOMPLETE) {
        if (framer.bulkLength >= this.#shared.options.streamThreshold && this.#passesOn(framer, buffer, at, end)) {
          if (this.#closed) return end;
          at = end;
          break;
        }
        this.#framer ??= this.#shared.framers.keepCommon();
        if (framer.needed > this.#shared.options.clientQueryLimit) this.#refuse('ERR Protocol error: too big request');
        break;
      } else {
        if (isTlsGreeting(buffer, at, end)) this.#shared.handshakes.failed('wrong-port', this.address, TLS_ELSEWHERE);
        this.#refuse(framer.error);
        return end;
      }
    }
    if (this.counted !== null) {
      this.#charge(handled, at - start);
      this.#waitsForLimit();
    }
    if (this.#framer !== null) this.#giveFramer(this.#framer);
    return at;
  }

  /** Others may have its framer, unless a frame is cut, or it has not authenticated. */
  #giveFramer(framer: RequestFramer): void {
    if (!framer.isAtRest || !this.#authenticated) return;
    this.#framer = null;
    this.#shared.framers.give(framer);
  }

  #charge(commands: number, bytes: number): void {
    if (this.counted !== null && !this.isIn(METERED)) this.#shared.limits.charge(this.counted, commands, bytes);
  }

  /** Clients of its address, or user, have done as much as they may: it is not read for a while. @returns whether that is so */
  #waitsForLimit(): boolean {
    if (this.counted === null || !this.#shared.limits.holds(this, this.counted)) return false;
    this.#pause();
    return true;
  }

  /**
   * Counts the command that `framer` holds, once, however often it is offered.
   * @returns the error that it is answered, since it is beyond a rate; then it is not counted, unless `meterAnyway` does so
   */
  meter(framer: RequestFramer): string | null {
    const { counted } = this;
    const at = this.offsetBehind(framer);
    if (counted === null || (at === this.#meteredAt && this.#isMetered)) return null;
    this.#meteredAt = at;
    const refusal = this.#shared.limits.refusal(counted);
    this.#isMetered = refusal === null;
    if (refusal === null) this.#shared.limits.charge(counted, 1, framer.frameEnd - framer.frameStart);
    return refusal;
  }

  /** Counts the command, which is beyond a rate and is carried out all the same. */
  meterAnyway(framer: RequestFramer): void {
    this.#isMetered = true;
    if (this.counted !== null) this.#shared.limits.charge(this.counted, 1, framer.frameEnd - framer.frameStart);
  }

  /** Answers an error, reads nothing more, and ends the connection behind it. */
  turnAway(text: string): void {
    this.#refuse(text);
  }

  /** Answers with an error and ends the connection behind it. */
  #refuse(text: string): void {
    (this.#framer ?? this.#shared.framers.common).reset();
    const { groups } = this.#shared.counters;
    if (groups.active) groups.note(undefined, 0, this.#shared.receiveBuffer);
    this.#replyMode?.overrule();
    this.reply(this.#handler.unknownCommandId, encodeError(text, 'latin1'), true);
    this.endAfterReplies();
  }

  /**
   * The frame at hand has a large value.
   * @returns false when it must be gathered; true when its bytes were passed on, or are kept until they can be
   */
  #passesOn(framer: RequestFramer, buffer: Buffer, start: number, end: number): boolean {
    const plan = this.#handler.planUpload(this, framer, buffer, start);
    if (plan === null) return false;
    this.#uploads ??= new Uploads(this, this.#shared.options);
    this.#uploads.begin(plan, framer, buffer, start, end, this.#shared.clock.now);
    return true;
  }

  /** Keeps `buffer[start, end)` as all that has come, and reads nothing further. */
  keepUnread(buffer: Buffer, start: number, end: number): void {
    this.#pause();
    this.#carry ??= new Carry(this.#shared.clientPools.large);
    this.#carry.replace(buffer, start, end);
  }

  /** The client waits until the lane takes more, and is not read meanwhile. */
  waitUnread(lane: Lane): void {
    this.waitFor(lane);
    this.#pause();
  }

  giveBack(lane: Lane): void {
    this.lanes.giveBack(lane);
  }

  /** The command at hand waits for a fence, or for a key that moves. */
  get waitsForRing(): boolean {
    return this.#ringWait?.active === true;
  }

  /** No frame is handled until `resumeSoon`. */
  get isHeld(): boolean {
    return this.#held;
  }

  #blocked(): boolean {
    if (this.pending >= this.#most) return true;
    if (this.#barrier) {
      if (this.pending > 0) return true;
      this.#barrier = false;
    }
    return this.#held || this.outlet.pending >= this.#outputLimit;
  }

  #pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    this.#socket.pause();
    if (this.outlet.pending > 0) this.outlet.wantsDrain = true;
  }

  #considerResuming(): void {
    if (this.outlet.pending > 0) this.outlet.wantsDrain = true;
    if (this.#ending) {
      this.#endIfIdle();
      return;
    }
    if (this.#held || this.#resumeScheduled) return;
    if (this.#barrier ? this.pending === 0 : this.pending <= this.#most >> 1) {
      if (this.#window !== null) this.#most = this.#window.adapt();
      if (!this.#blocked()) this.resumeSoon();
    }
  }

  /** The lane must be read on although this client cannot take more. */
  releaseLane(lane: ReplySource): void {
    this.#replies.releaseLane(lane);
  }

  #onDrained(): void {
    this.#replies.onDrained();
    if (this.#paused) this.#considerResuming();
    if (this.#ending || this.#inputEnded) this.#endIfIdle();
  }

  #onEnd(): void {
    if (this.#closed) return;
    this.#inputEnded = true;
    this.#blockedBy?.hangUp();
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (this.#closed || !(this.#ending || this.#inputEnded)) return;
    if (!this.#ending) {
      // What came before the end is handled still.
      if (this.#held || this.#paused || this.#resumeScheduled || this.#blockedBy !== null) return;
      if (this.#uploads?.end('ended in the middle of a command') === true) return;
    }
    if (this.pending > 0) return;
    if (this.outlet.pending > 0) {
      this.outlet.wantsDrain = true;
      return;
    }
    // Whose end was read has sent nothing that is not read, so closing resets nothing on its way to it; to end first, as for
    // others, takes a shutdown and half again as long.
    // By TLS the end is said, too: without a word it looks as if somebody had cut the connection.
    if (this.#inputEnded && !(this.#socket instanceof TLSSocket)) this.close(this.#endReason);
    else if (this.#inputEnded || !this.#lingers) this.#socket.end(() => this.close(this.#endReason));
    else {
      const { lingering, clock } = this.#shared;
      this.#leave(this.#endReason, () => lingering.add(this.#socket, clock.now, () => this.#lastActiveAt));
    }
  }

  #keep(source: Uint8Array, start: number, end: number): void {
    // What is only declared takes no memory.
    this.#carry ??= new Carry(this.#shared.clientPools.large);
    const believed = Math.max(BELIEVED_BYTES, 4 * (this.#carry.size + end - start));
    const needed = this.#framer === null ? 0 : this.#framer.needed;
    const expected = Math.min(needed, this.#shared.options.clientQueryLimit, believed);
    this.#carry.keep(source, start, end, expected);
  }
}
