/**
 * The connection on which a data plane hears what one node publishes, for all its clients.
 *
 *   IDLE ──a topic──▶ CONNECTING ──▶ GREETING ──▶ READY
 *     ▲                   │              │          │
 *     └──── after a pause, while there are topics ──┘
 *
 * When it is connected anew it subscribes to all its topics again. It speaks RESP2, whose messages are arrays that
 * differ from RESP3's in one byte.
 */
import net, { type Socket } from 'node:net';
import { request as encodeRequest } from '../../resp/encode.js';
import { ReplyFramer } from '../../resp/reply-framer.js';
import { Outlet } from '../io/outlet.js';
import { createSocketWriter } from '../io/socket-writer.js';
import { buildHandshake } from '../upstream/lane-handshake.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { FeedTopics, type Subscribing } from './feed-topics.js';
import { Fifo } from './fifo.js';
import { FeedMessage } from './message.js';
import { MESSAGE_WORDS, SUBSCRIBE_WORDS, type Topic, UNSUBSCRIBE_WORDS } from './topic.js';

const IDLE = 0;
const CONNECTING = 1;
const GREETING = 2;
const READY = 3;
const CLOSED = 4;

const ERROR_BYTE = 0x2d;
const KIND = { protocol: 2, database: 0 } as const;
const PING = Buffer.from(encodeRequest(['PING']));
/** A connection that nobody needs is kept this long, and one that is silent is tried this often. Milliseconds. */
const KEPT_MS = 60_000;
const PING_EVERY_MS = 5000;
const BACKOFF_MIN_MS = 20;
/**
 * The node is sent this many topics and answers them before it is sent more: so that neither it nor this process does
 * nothing else for long where there are 100,000.
 */
const MOST_EXPECTED = 512;

/** What the node has been sent and is to answer, in this order. */
type Expected = Subscribing | { readonly topic: null; readonly onPong: () => void };

export interface FeedListener {
  /** The node has published `buffer[start, end)`, an array whose fields are in `message`. */
  onMessage(feed: Feed, kind: number, message: FeedMessage, buffer: Buffer, start: number, end: number): void;
  /** The node has confirmed a topic. */
  onConfirmed(topic: Topic): void;
  /** The node does not allow a topic. @param reply its error */
  onRefused(topic: Topic, reply: Buffer): void;
  /** The node cannot be reached: nobody waits for it any more. */
  onDown(): void;
}

export class Feed {
  readonly node: UpstreamNode;
  readonly #listener: FeedListener;
  readonly topics = new FeedTopics();
  /** What the node is to be sent as soon as it has answered enough of what it was sent. */
  readonly #unsent = new Fifo<Subscribing>();
  readonly #expected = new Fifo<Expected>();
  #state: typeof IDLE | typeof CONNECTING | typeof GREETING | typeof READY | typeof CLOSED = IDLE;
  /** The last attempt to connect has failed. */
  #down = false;
  #socket: Socket | null = null;
  #outlet: Outlet;
  #framer = new ReplyFramer();
  readonly #message = new FeedMessage();
  #carry: Buffer[] = [];
  #greetings = 0;
  #startedAt = 0;
  #receivedAt = 0;
  #neededAt: number;
  #retryAt = 0;
  #backoff = BACKOFF_MIN_MS;

  constructor(node: UpstreamNode, listener: FeedListener) {
    this.node = node;
    this.#listener = listener;
    this.#outlet = this.#newOutlet();
    this.#neededAt = this.#now;
  }

  /** Subscribes to a topic. */
  add(topic: Topic): void {
    if (!this.topics.add(topic)) return;
    if (this.#state === READY) this.#tell({ topic, subscribes: true });
    else if (this.#state === IDLE && !this.#down) this.#open();
  }

  remove(topic: Topic): void {
    if (!this.topics.remove(topic)) return;
    this.#neededAt = this.#now;
    if (this.#state === READY) this.#tell({ topic, subscribes: false });
  }

  /** Whether the topic is to be confirmed soon; not while the node cannot be reached. */
  isAwaited(topic: Topic): boolean {
    return !this.#down && this.topics.isAwaited(topic);
  }

  /** Whether every topic is confirmed that the node can confirm now. */
  get settled(): boolean {
    return this.#down || this.topics.awaited === 0;
  }

  /** Settles when everything that the node has published so far was heard, or the connection is gone. */
  heardSoFar(): Promise<void> {
    if (this.#state !== READY) return Promise.resolve();
    return new Promise((resolve) => this.#ping(resolve));
  }

  /** Called about ten times a second. */
  tick(): void {
    const now = this.#now;
    const { requestTimeout, connectTimeout } = this.node.shared.options;
    switch (this.#state) {
      case IDLE:
        if (this.topics.size > 0 && now >= this.#retryAt) this.#open();
        break;
      case CONNECTING:
      case GREETING:
        if (now - this.#startedAt > connectTimeout) this.#end();
        break;
      case READY:
        if (this.#expected.size > 0) {
          if (now - this.#receivedAt > requestTimeout && now - this.#startedAt > requestTimeout) this.#end();
        } else if (this.topics.size === 0 && now - this.#neededAt > KEPT_MS) this.#end();
        else if (now - this.#receivedAt > PING_EVERY_MS) this.#ping(() => {});
        break;
    }
  }

  close(): void {
    for (const topic of this.topics) this.topics.remove(topic);
    this.#end();
    this.#state = CLOSED;
  }

  get #now(): number {
    return this.node.shared.clock.now;
  }

  #newOutlet(): Outlet {
    return new Outlet(this.node.shared.turn, this.node.shared.lanePools, { onDrained: () => {} });
  }

  #tell(subscribing: Subscribing): void {
    this.#unsent.push(subscribing);
    this.#sendMore();
  }

  #sendMore(): void {
    while (this.#expected.size < MOST_EXPECTED) {
      const next = this.#unsent.shift();
      if (next === undefined) return;
      const words = next.subscribes ? SUBSCRIBE_WORDS : UNSUBSCRIBE_WORDS;
      // One topic a command: should the node refuse one, its error stands for that one alone.
      this.#put(Buffer.from(encodeRequest([words[next.topic.kind], next.topic.name])), next);
    }
  }

  #ping(onPong: () => void): void {
    this.#put(PING, { topic: null, onPong });
  }

  #put(frame: Buffer, expected: Expected): void {
    if (this.#expected.size === 0) this.#startedAt = this.#now;
    this.#outlet.append(frame, 0, frame.length);
    this.#expected.push(expected);
  }

  #open(): void {
    const { node } = this;
    const { target } = node;
    this.#state = CONNECTING;
    this.#startedAt = node.shared.clock.read();
    this.#framer = new ReplyFramer();
    this.#outlet = this.#newOutlet();
    // A chunk is handled before anybody else reads into it.
    const buffer = node.shared.blockingReceive;
    const callback = (length: number, chunk: Uint8Array): boolean => {
      if (this.#socket === socket) this.#onChunk(length, chunk as Buffer);
      return true;
    };
    const onread = { buffer: () => buffer, callback };
    const socket =
      'path' in target
        ? net.connect({ path: target.path, onread })
        : net.connect({ host: target.host, port: target.port, noDelay: true, onread });
    this.#socket = socket;
    const onEnd = (): void => {
      if (this.#socket === socket) this.#end();
    };
    socket.once('connect', () => {
      if (this.#socket === socket) this.#greet(socket);
    });
    socket.on('error', onEnd);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
  }

  #greet(socket: Socket): void {
    const { options } = this.node.shared;
    const { username, password } = options.nodeAccess(this.node.name);
    this.#state = GREETING;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, options.tcpKeepalive);
    const connectionName = `ringproxy:${options.proxyId}`;
    const { bytes, steps } = buildHandshake(KIND, { username, password, connectionName });
    this.#greetings = steps.length;
    socket.write(bytes);
  }

  #onChunk(length: number, chunk: Buffer): void {
    this.#receivedAt = this.node.shared.clock.read();
    this.node.counters.bytesIn += length;
    let at = 0;
    while (at < length) {
      const end = this.#framer.advance(chunk, at, length);
      if (end < 0) {
        this.#end();
        return;
      }
      if (!this.#framer.complete) {
        this.#carry.push(Buffer.from(chunk.subarray(at, end)));
      } else if (this.#carry.length > 0) {
        this.#carry.push(chunk.subarray(at, end));
        const whole = Buffer.concat(this.#carry);
        this.#carry = [];
        this.#onFrame(whole, 0, whole.length);
      } else this.#onFrame(chunk, at, end);
      if (this.#socket === null) return;
      at = end;
    }
    if (this.#state === READY) this.#sendMore();
  }

  #onFrame(buffer: Buffer, start: number, end: number): void {
    if (this.#state === GREETING) {
      // Names and ids are a courtesy; a login is not.
      if (
        buffer[start] === ERROR_BYTE &&
        /^-(?:NOAUTH|WRONGPASS|NOPERM|ERR (?:AUTH|max))/.test(buffer.toString('latin1', start, end))
      )
        this.#end();
      else if (--this.#greetings === 0) this.#becomeReady();
      return;
    }
    const message = this.#message;
    if (!message.parse(buffer, start, end)) {
      this.#onAnswer(buffer, start, end);
      return;
    }
    const word = message.text(buffer, 0);
    const kind = MESSAGE_WORDS.indexOf(word);
    if (kind >= 0) this.#listener.onMessage(this, kind, message, buffer, start, end);
    else this.#onAnswer(buffer, start, end);
  }

  /** An answer to what was sent: a confirmation, a pong or an error. */
  #onAnswer(buffer: Buffer, start: number, end: number): void {
    const expected = this.#expected.shift();
    if (expected === undefined) {
      this.#end();
      return;
    }
    if (expected.topic === null) expected.onPong();
    else this.#onTopicAnswer(expected, buffer, start, end);
  }

  #onTopicAnswer({ topic, subscribes }: Subscribing, buffer: Buffer, start: number, end: number): void {
    if (!subscribes) return;
    const { topics } = this;
    if (buffer[start] === ERROR_BYTE) {
      if (topics.onRefused(topic)) this.#listener.onRefused(topic, Buffer.from(buffer.subarray(start, end)));
    } else if (topics.onConfirmed(topic)) this.#listener.onConfirmed(topic);
  }

  #becomeReady(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.node.shared.options.mayServe();
    this.#state = READY;
    this.#down = false;
    this.#backoff = BACKOFF_MIN_MS;
    this.#neededAt = this.#now;
    this.#outlet.attach(createSocketWriter(socket, this.#outlet));
    for (const topic of this.topics) this.#unsent.push({ topic, subscribes: true });
    this.#sendMore();
  }

  /** The connection is gone, or of no use. */
  #end(): void {
    if (this.#state === IDLE || this.#state === CLOSED) return;
    const { options } = this.node.shared;
    this.#state = IDLE;
    this.#down = this.topics.size > 0;
    this.#retryAt = this.#now + this.#backoff * (0.5 + Math.random() / 2);
    this.#backoff = Math.min(this.#backoff * 2, options.reconnectBackoffMax);
    this.#outlet.close();
    this.#socket?.destroy();
    this.#socket = null;
    this.#carry = [];
    this.topics.onDisconnected();
    this.#unsent.clear();
    for (let each = this.#expected.shift(); each !== undefined; each = this.#expected.shift()) {
      if (each.topic === null) each.onPong();
    }
    this.#listener.onDown();
  }
}
