/**
 * A connection to a node beside the lanes, on which the node says things unasked. Its listener tells these from answers.
 *
 *   IDLE ──open──▶ CONNECTING ──▶ GREETING ──▶ LOOKING ──▶ READY
 *     ▲                │              │            │          │
 *     └────────────── after a pause, while it is wanted ──────┘
 */
import type { Socket } from 'node:net';
import { openSocket } from '../../node/dial.js';
import type { Failure } from '../../node/failure.js';
import { Handshake } from '../../node/handshake.js';
import { onceOpen } from '../../node/tls.js';
import { request as encodeRequest } from '../../resp/encode.js';
import { ReplyFramer } from '../../resp/reply-framer.js';
import { Fifo } from '../io/fifo.js';
import { Outlet } from '../io/outlet.js';
import { createSocketWriter } from '../io/socket-writer.js';
import { Backoff } from './backoff.js';
import type { LaneKind } from './lane-kind.js';
import { Look } from './look.js';
import { otherProcess } from './other-process.js';
import type { Reconnecting } from './suspension.js';
import type { UpstreamNode } from './upstream-node.js';

const IDLE = 0;
const CONNECTING = 1;
const GREETING = 2;
const LOOKING = 3;
const READY = 4;

const PING = Buffer.from(encodeRequest(['PING']));
/** One that is silent is tried this often. Milliseconds. */
const PING_EVERY_MS = 5000;

/** Is called with a whole answer, `buffer[start, end)`, which must be copied if it is needed later. */
export type OnAnswer = (buffer: Buffer, start: number, end: number) => void;

export interface SideListener {
  /** The node has let the connection in. */
  onReady(): void;
  /**
   * The node has said `buffer[start, end)`, of which the first byte is `type`.
   * @returns whether that was unasked; otherwise it is the answer to the first question that is not answered
   */
  onSaid(type: number, buffer: Buffer, start: number, end: number): boolean;
  /** The connection, or an attempt at one, has ended; what was asked and not answered never is. */
  onDown(): void;
}

export class SideConnection implements Reconnecting {
  readonly #node: UpstreamNode;
  readonly #kind: LaneKind;
  readonly #listener: SideListener;
  #state: typeof IDLE | typeof CONNECTING | typeof GREETING | typeof LOOKING | typeof READY = IDLE;
  #wanted = false;
  #socket: Socket | null = null;
  #outlet: Outlet;
  #framer = new ReplyFramer();
  #carry: Buffer[] = [];
  #handshake: Handshake | null = null;
  #look: Look | null = null;
  /** Who takes the answers that are still to come, in this order. */
  readonly #asked = new Fifo<OnAnswer>();
  #startedAt = 0;
  #receivedAt = 0;
  #retryAt = 0;
  readonly #backoff = new Backoff();

  constructor(node: UpstreamNode, kind: LaneKind, listener: SideListener) {
    this.#node = node;
    this.#kind = kind;
    this.#listener = listener;
    this.#outlet = this.#newOutlet();
  }

  get ready(): boolean {
    return this.#state === READY;
  }

  /** How many questions are not answered. */
  get asked(): number {
    return this.#asked.size;
  }

  /** Connects, and again whenever the connection ends, until `close`. */
  open(): void {
    this.#wanted = true;
    this.#node.suspension.add(this);
    // While this proxy may not speak to the node, `tick` says so by and by.
    if (this.#state === IDLE && this.#mayConnect) this.#connect();
  }

  close(): void {
    this.#wanted = false;
    this.#node.suspension.remove(this);
    this.#end();
  }

  cut(): void {
    this.#end();
  }

  /** Sends a command; the connection must be ready. */
  ask(words: readonly string[], onAnswer: OnAnswer): void {
    // latin1: names of keys have one character for each byte.
    this.#put(Buffer.from(encodeRequest(words.map((word) => Buffer.from(word, 'latin1')))), onAnswer);
  }

  /** Called about ten times a second. */
  tick(): void {
    const now = this.#now;
    const { requestTimeout, connectTimeout } = this.#node.shared.options;
    switch (this.#state) {
      case IDLE:
        if (!this.#wanted || now < this.#retryAt) break;
        if (this.#mayConnect) this.#connect();
        else this.#fail();
        break;
      case CONNECTING:
      case GREETING:
        if (now - this.#startedAt > connectTimeout) this.#end();
        break;
      case LOOKING:
        if (now - this.#startedAt > connectTimeout) this.#end();
        else this.#look?.tick();
        break;
      case READY:
        if (this.#asked.size > 0) {
          if (now - this.#receivedAt > requestTimeout && now - this.#startedAt > requestTimeout) this.#end();
        } else if (now - this.#receivedAt > PING_EVERY_MS) this.#put(PING, () => {});
        break;
    }
  }

  get #mayConnect(): boolean {
    return this.#node.suspension.reply === null && this.#node.target !== null;
  }

  get #now(): number {
    return this.#node.shared.clock.now;
  }

  #newOutlet(): Outlet {
    return new Outlet(this.#node.shared.turn, this.#node.shared.lanePools, { onDrained: () => {} });
  }

  #put(frame: Buffer, onAnswer: OnAnswer): void {
    if (this.#asked.size === 0) this.#startedAt = this.#now;
    this.#outlet.append(frame, 0, frame.length);
    this.#asked.push(onAnswer);
  }

  #connect(): void {
    const { target, tls, shared } = this.#node;
    if (target === null) return;
    this.#state = CONNECTING;
    this.#startedAt = shared.clock.read();
    this.#framer = new ReplyFramer();
    this.#outlet = this.#newOutlet();
    // A chunk is handled before anybody else reads into it.
    const buffer = shared.blockingReceive;
    const callback = (length: number, chunk: Uint8Array): boolean => {
      if (this.#socket === socket) this.#onChunk(length, chunk as Buffer);
      return true;
    };
    const onread = { buffer: () => buffer, callback };
    const socket = openSocket(target, tls, onread);
    this.#socket = socket;
    const onEnd = (): void => {
      if (this.#socket === socket) this.#end();
    };
    onceOpen(socket, () => {
      if (this.#socket === socket) this.#greet(socket);
    });
    for (const event of ['error', 'end', 'close']) socket.on(event, onEnd);
  }

  #greet(socket: Socket): void {
    const { options } = this.#node.shared;
    this.#state = GREETING;
    socket.setKeepAlive(true, options.tcpKeepalive);
    this.#look = new Look(options.standing, (found) => this.#onLooked(found));
    this.#handshake = new Handshake({
      ...this.#kind,
      login: this.#node.login,
      connectionName: this.#look.connectionName,
      asks: this.#node.process === undefined ? [] : ['process'],
      tolerates: 'any error',
      role: this.#node.isFollowed ? 'master' : null,
    });
    socket.write(this.#handshake.bytes);
  }

  #onChunk(length: number, chunk: Buffer): void {
    this.#receivedAt = this.#node.shared.clock.read();
    this.#node.counters.bytesIn += length;
    const socket = this.#socket;
    let at = 0;
    while (at < length) {
      const end = this.#framer.advance(chunk, at, length);
      if (end < 0) {
        this.#end();
        return;
      }
      const { type } = this.#framer;
      if (!this.#framer.complete) this.#carry.push(Buffer.from(chunk.subarray(at, end)));
      else if (this.#carry.length > 0) {
        this.#carry.push(chunk.subarray(at, end));
        const whole = Buffer.concat(this.#carry);
        this.#carry = [];
        this.#onFrame(type, whole, 0, whole.length);
      } else this.#onFrame(type, chunk, at, end);
      if (this.#socket !== socket) return;
      at = end;
    }
  }

  #onFrame(type: number, buffer: Buffer, start: number, end: number): void {
    if (this.#state === GREETING) {
      const outcome = this.#handshake?.onReply(buffer, start, end);
      if (outcome === 'done') this.#onGreeted();
      else if (outcome !== 'more') this.#end();
    } else if (!this.#listener.onSaid(type, buffer, start, end)) {
      const onAnswer = this.#asked.shift();
      if (onAnswer === undefined) this.#end();
      else onAnswer(buffer, start, end);
    }
  }

  #onGreeted(): void {
    const handshake = this.#handshake;
    if (handshake === null) return;
    const { greeted, complaint } = handshake;
    if (otherProcess(this.#node.process, greeted.runId, complaint, this.#node.hasReadyLane) !== null) {
      this.#end();
      return;
    }
    this.#state = LOOKING;
    this.#look?.begin(greeted);
  }

  #onLooked(found: Failure | null): void {
    if (found === null) this.#becomeReady();
    else this.#end();
  }

  #becomeReady(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#state = READY;
    this.#backoff.reset();
    this.#outlet.attach(createSocketWriter(socket, this.#outlet));
    this.#listener.onReady();
  }

  /** The connection is gone, or of no use. */
  #end(): void {
    if (this.#state === IDLE) return;
    this.#state = IDLE;
    this.#look?.drop();
    this.#outlet.close();
    this.#socket?.destroy();
    this.#socket = null;
    this.#carry = [];
    this.#asked.clear();
    this.#fail();
  }

  /** It is not there: it is tried again after a while. */
  #fail(): void {
    this.#retryAt = this.#now + this.#backoff.next(this.#node.shared.options.reconnectBackoffMax);
    this.#listener.onDown();
  }
}
