/**
 * What a data plane hears of what one node publishes, for all its clients, on a connection of its own. When that is
 * connected anew it subscribes to all its topics again. It speaks RESP2, whose messages are arrays that differ from
 * RESP3's in one byte.
 */
import { Fifo } from '../../io/fifo.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import { SideConnection, type SideListener } from '../../upstream/side-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
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
  /** The node can be reached: it is being told of all topics. */
  onUp(): void;
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
  /** Who waits for the node to be told of the topics, which it will be when it is connected. */
  readonly #waitingForReady = new Set<() => void>();
  /** The last attempt to connect has failed, or the connection was lost. */
  #down = false;
  /** The connection was lost, and no attempt to connect has failed since. */
  #lost = false;
  #wasReady = false;
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

  /**
   * Whether the node is about to hear of topics: what it publishes before is missed. Not while it cannot be reached,
   * except that a connection which was only just lost counts as one that is back soon.
   */
  get isBehind(): boolean {
    return this.topics.awaited > 0 && (!this.#down || this.#lost);
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

  /** Settles when the node is not behind any more on any topic that it is to hear of now. */
  keptUp(): Promise<void> {
    if (!this.isBehind) return Promise.resolve();
    if (this.#connection.ready) return this.caughtUp();
    return new Promise((resolve) => this.#waitingForReady.add(resolve));
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
    settleAll(this.#waitingForReady);
  }

  onReady(): void {
    this.#down = false;
    this.#lost = false;
    this.#wasReady = true;
    this.#neededAt = this.#now;
    for (const topic of this.topics) this.#unsent.push({ topic, subscribes: true });
    const waiting = [...this.#waitingForReady];
    this.#waitingForReady.clear();
    for (const resolve of waiting) void this.caughtUp().then(resolve);
    this.#sendMore();
    this.#listener.onUp();
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
    this.#lost = this.#down && this.#wasReady;
    this.#wasReady = false;
    this.topics.onDisconnected();
    this.#unsent.clear();
    settleAll(this.#waiting);
    if (!this.#lost) settleAll(this.#waitingForReady);
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

function settleAll(waiting: Set<() => void>): void {
  for (const resolve of waiting) resolve();
  waiting.clear();
}
