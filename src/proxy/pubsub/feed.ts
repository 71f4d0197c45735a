/**
 * What a data plane hears of what one node publishes, for all its clients, on a connection of its own. When that is
 * connected anew it subscribes to all its topics again. It speaks RESP2, whose messages are arrays that differ from
 * RESP3's in one byte.
 */
import { Fifo } from '../io/fifo.js';
import type { LaneKind } from '../upstream/lane-handshake.js';
import { SideConnection, type SideListener } from '../upstream/side-connection.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { FeedTopics } from './feed-topics.js';
import { FeedMessage } from './message.js';
import { MESSAGE_WORDS, SUBSCRIBE_WORDS, type Topic, UNSUBSCRIBE_WORDS } from './topic.js';

const ERROR_BYTE = 0x2d;
const KIND: LaneKind = { protocol: 2, database: 0 };
/** A connection that nobody needs is kept this long. Milliseconds. */
const KEPT_MS = 60_000;
/**
 * The node is sent this many topics and answers them before it is sent more: so that neither it nor this process does
 * nothing else for long where there are 100,000.
 */
const MOST_ASKED = 512;

/** What the node is to be sent: a topic, or a PING behind those before it. */
type Unsent = { readonly topic: Topic; readonly subscribes: boolean } | { readonly onPong: () => void };

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

export class Feed implements SideListener {
  readonly node: UpstreamNode;
  readonly topics = new FeedTopics();
  readonly #listener: FeedListener;
  readonly #connection: SideConnection;
  /** What the node is sent as soon as it has answered enough of what it was sent. */
  readonly #unsent = new Fifo<Unsent>();
  /** Who waits for a PONG. */
  readonly #waiting = new Set<() => void>();
  readonly #message = new FeedMessage();
  /** The last attempt to connect has failed, or the connection was lost. */
  #down = false;
  #neededAt: number;

  constructor(node: UpstreamNode, listener: FeedListener) {
    this.node = node;
    this.#listener = listener;
    this.#connection = new SideConnection(node, KIND, this);
    this.#neededAt = this.#now;
  }

  /** Subscribes to a topic. */
  add(topic: Topic): void {
    if (!this.topics.add(topic)) return;
    if (this.#connection.ready) this.#tell({ topic, subscribes: true });
    // One that is down is tried again by and by.
    else if (!this.#down) this.#connection.open();
  }

  remove(topic: Topic): void {
    if (!this.topics.remove(topic)) return;
    this.#neededAt = this.#now;
    if (this.#connection.ready) this.#tell({ topic, subscribes: false });
  }

  /** Whether the topic is to be confirmed soon; not while the node cannot be reached. */
  isAwaited(topic: Topic): boolean {
    return !this.#down && this.topics.isAwaited(topic);
  }

  /** Whether every topic is confirmed that the node can confirm now. */
  get settled(): boolean {
    return this.#down || this.topics.awaited === 0;
  }

  /**
   * Settles when the node has begun and ended all subscriptions as it was told, and everything was heard that it had
   * published by then; or when the connection is gone.
   */
  caughtUp(): Promise<void> {
    if (!this.#connection.ready) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#tell({
        onPong: () => {
          this.#waiting.delete(resolve);
          resolve();
        },
      });
    });
  }

  /** Called about ten times a second. */
  tick(): void {
    const connection = this.#connection;
    connection.tick();
    if (connection.ready && connection.asked === 0 && this.topics.size === 0 && this.#now - this.#neededAt > KEPT_MS) {
      connection.close();
    }
  }

  close(): void {
    for (const topic of this.topics) this.topics.remove(topic);
    this.#connection.close();
  }

  onReady(): void {
    this.#down = false;
    this.#neededAt = this.#now;
    for (const topic of this.topics) this.#unsent.push({ topic, subscribes: true });
    this.#sendMore();
  }

  onSaid(_type: number, buffer: Buffer, start: number, end: number): boolean {
    const message = this.#message;
    if (!message.parse(buffer, start, end)) return false;
    const kind = MESSAGE_WORDS.indexOf(message.text(buffer, 0));
    if (kind < 0) return false;
    this.#listener.onMessage(this, kind, message, buffer, start, end);
    return true;
  }

  onDown(): void {
    this.#down = this.topics.size > 0;
    this.topics.onDisconnected();
    this.#unsent.clear();
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    if (this.topics.size === 0) this.#connection.close();
    this.#listener.onDown();
  }

  get #now(): number {
    return this.node.shared.clock.now;
  }

  #tell(unsent: Unsent): void {
    this.#unsent.push(unsent);
    this.#sendMore();
  }

  #sendMore(): void {
    while (this.#connection.asked < MOST_ASKED) {
      const next = this.#unsent.shift();
      if (next === undefined) return;
      if ('onPong' in next) this.#connection.ask(['PING'], next.onPong);
      else this.#ask(next.topic, next.subscribes);
    }
  }

  /** One topic a command: should the node refuse one, its error stands for that one alone. */
  #ask(topic: Topic, subscribes: boolean): void {
    const words = subscribes ? SUBSCRIBE_WORDS : UNSUBSCRIBE_WORDS;
    this.#connection.ask([words[topic.kind], topic.key], (buffer, start, end) => {
      if (subscribes) this.#onAnswer(topic, buffer, start, end);
      this.#sendMore();
    });
  }

  #onAnswer(topic: Topic, buffer: Buffer, start: number, end: number): void {
    if (buffer[start] !== ERROR_BYTE) {
      if (this.topics.onConfirmed(topic)) this.#listener.onConfirmed(topic);
    } else if (this.topics.onRefused(topic)) {
      this.#listener.onRefused(topic, Buffer.from(buffer.subarray(start, end)));
    }
  }
}
