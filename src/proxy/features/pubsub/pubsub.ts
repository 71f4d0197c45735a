/**
 * Publish/subscribe over the ring. PUBLISH goes to the node that owns the channel's name. Every topic that a client
 * is subscribed to is subscribed to at *every* node, once for all clients of the data plane: so a message arrives
 * once wherever it is published, also from a script or a transaction on another node, patterns and keyspace
 * notifications need no exception, and a ring change only has to see to it that joining nodes are listened to.
 * What is published behind a SUBSCRIBE waits until the node listens (`publish-order.ts`).
 */

import { matchesGlob } from '../../../resp/glob.js';
import type { DataPlaneOptions } from '../../options.js';
import type { Subscribed } from '../../peers/peers.js';
import type { SubscriptionBoard } from '../../peers/subscription-board.js';
import { CHANNEL, PATTERN, SHARD, type TopicKind } from '../../peers/topic-kind.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { ClientStates } from '../../session/client-states.js';
import { SUBSCRIBED } from '../../session/modes.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { ChangeOrder } from './change-order.js';
import { deliver, deliverKept } from './deliver.js';
import { Feed, type FeedListener } from './feed.js';
import type { FeedMessage } from './message.js';
import { PendingSubscription } from './pending-subscription.js';
import type { SubscriberReport } from './subscriber-report.js';
import { confirmation, Subscriptions } from './subscriptions.js';
import { SUBSCRIBE_WORDS, Topic, UNSUBSCRIBE_WORDS } from './topic.js';

/** Of all clients together, each counted once. */
const MOST_PATTERNS = 10_000;
const TOO_MANY_PATTERNS = `ERR too many patterns: all clients together may subscribe to ${MOST_PATTERNS}`;

/** What publish/subscribe needs of the data plane. */
export interface PubSubContext {
  readonly requests: RequestPool;
  /** `clientOutputLimit`: bytes that may be kept for a client before it is subscribed. */
  readonly options: Pick<DataPlaneOptions, 'clientOutputLimit'>;
  /** Null: there are no other processes. */
  readonly board: SubscriptionBoard | null;
  /** Takes what several clients are subscribed to; null: nobody wants to know. */
  readonly report: SubscriberReport | null;
}

export class PubSub implements FeedListener {
  readonly #context: PubSubContext;
  /** By kind, then by key. */
  readonly #topics: readonly [Map<string, Topic>, Map<string, Topic>, Map<string, Topic>] = [
    new Map(),
    new Map(),
    new Map(),
  ];
  /** Who is subscribed, or about to be, to what. */
  readonly #clients = new ClientStates<Subscriptions>(SUBSCRIBED);
  readonly #feeds = new Map<UpstreamNode, Feed>();
  readonly #pending = new Set<PendingSubscription>();
  readonly #order = new ChangeOrder(() => this.#feeds.values());
  #nodes: readonly UpstreamNode[] = [];
  /** What the board shows. */
  #shownBehind = false;
  /** Who waits until all nodes have confirmed what they can. */
  #waiting: (() => void)[] = [];

  constructor(context: PubSubContext) {
    this.#context = context;
  }

  /** @param nodes index-aligned with the snapshot's */
  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.#nodes = nodes;
    this.#order.onPublish(snapshot, nodes);
    for (const [node, feed] of this.#feeds) {
      if (nodes.includes(node)) continue;
      feed.close();
      this.#feeds.delete(node);
    }
    const added = this.isIdle ? [] : nodes.filter((node) => !this.#feeds.has(node)).map((node) => this.#openFeed(node));
    for (const feed of added) for (const topics of this.#topics) for (const topic of topics.values()) feed.add(topic);
    this.#check();
  }

  /**
   * Redis looks through all patterns of a connection for each that comes or goes, and all clients share one.
   * @returns the error for a client that asks for too many; null: it may
   */
  refusal(kind: TopicKind, keys: readonly string[]): string | null {
    if (kind !== PATTERN) return null;
    const patterns = this.#topics[PATTERN];
    let added = 0;
    for (const key of new Set(keys)) if (!patterns.has(key)) added++;
    return added === 0 || patterns.size + added <= MOST_PATTERNS ? null : TOO_MANY_PATTERNS;
  }

  /** Whether the client's subscription to something is confirmed. */
  isSubscribed(client: ClientConnection): boolean {
    return this.#clients.get(client)?.isEmpty === false;
  }

  /** What the client is subscribed to, or about to be. */
  topicsOf(client: ClientConnection): { readonly name: Buffer; readonly isPattern: boolean }[] {
    const subscriptions = this.#clients.get(client);
    if (subscriptions === null) return [];
    const confirmed = subscriptions.topics.flatMap((topics) => [...topics.values()]);
    const all = [...confirmed, ...subscriptions.pending.flatMap(({ topics }) => topics)];
    return all.map(({ name, kind }) => ({ name, isPattern: kind === PATTERN }));
  }

  /** How many channels, patterns and shard channels the client is subscribed to. */
  countsOf(client: ClientConnection): readonly [channels: number, patterns: number, shards: number] {
    const topics = this.#clients.get(client)?.topics;
    return topics === undefined ? [0, 0, 0] : [topics[CHANNEL].size, topics[PATTERN].size, topics[SHARD].size];
  }

  /** Subscriptions that stand in the client's queue and are not confirmed. */
  startedOf(client: ClientConnection): number {
    const pending = this.#clients.get(client)?.pending;
    if (pending === undefined || pending.length === 0) return 0;
    return pending.at(-1)?.request === null ? pending.length - 1 : pending.length;
  }

  /** Whether nobody is subscribed to anything. */
  get isIdle(): boolean {
    return this.#topics.every((topics) => topics.size === 0);
  }

  /** Whether a node is about to hear of a topic that a message on this channel, published there, would be for. */
  isBehind(node: UpstreamNode, kind: TopicKind, key: string): boolean {
    const topics = this.#feeds.get(node)?.topics;
    if (topics === undefined || !this.isBehindOnSome(node)) return false;
    const topic = this.#topics[kind].get(key);
    return (topic !== undefined && topics.isAwaited(topic)) || (kind === CHANNEL && topics.awaitsPatternOf(key));
  }

  /** Whether a node is about to hear of any topic. */
  isBehindOnSome(node: UpstreamNode): boolean {
    return this.#feeds.get(node)?.isBehind === true;
  }

  /** Settles when the node has heard of all topics that it is to hear of now, or cannot be reached. */
  keptUp(node: UpstreamNode): Promise<void> {
    return this.#feeds.get(node)?.keptUp() ?? Promise.resolve();
  }

  /** Settles when every node that can be reached listens to every topic. */
  ready(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#tellReady();
    });
  }

  /** Nodes for which `ready` waits. */
  get slowNodes(): UpstreamNode[] {
    return [...this.#feeds.values()].filter((feed) => !feed.settled).map((feed) => feed.node);
  }

  /** Called about ten times a second. */
  tick(): void {
    for (const feed of this.#feeds.values()) feed.tick();
    this.#context.report?.tick();
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  /**
   * Tells the nodes of topics that a client is about to be subscribed to, which may still wait for replies: who
   * publishes from now on is to reach it. Does nothing when that was done.
   * @param keys names with one character for each byte
   */
  announce(client: ClientConnection, kind: TopicKind, keys: readonly string[]): PendingSubscription {
    const subscriptions = this.#clients.get(client) ?? new Subscriptions();
    const last = subscriptions.pending.at(-1);
    // Nothing is read of a client behind what was only announced, so it is the same command that is offered again.
    if (last !== undefined && last.request === null) return last;
    const topics = keys.map((key) => this.#topic(kind, key));
    for (const topic of topics) this.#listen(topic);
    const missing = new Set(topics.filter((topic) => this.#isAwaited(topic)));
    const pending = new PendingSubscription(client, kind, topics, missing);
    this.#clients.set(client, subscriptions);
    subscriptions.pending.push(pending);
    this.#pending.add(pending);
    for (const topic of topics) topic.pending.add(pending);
    this.#showBehind();
    return pending;
  }

  /**
   * Subscribes a client that has nothing in flight but what it is about to be subscribed to. It is answered at once, or when the nodes have confirmed: however
   * long that takes, since who has the answer relies on it. A node that says nothing for `request-timeout` counts as
   * one that cannot be reached (`SideConnection`), and is not waited for.
   * @param keys names with one character for each byte
   * @param command the id of the command at hand
   */
  subscribe(client: ClientConnection, kind: TopicKind, keys: readonly string[], command: number): void {
    const pending = this.announce(client, kind, keys);
    pending.request = this.#enqueue(client, command);
    this.#confirmNext(client);
  }

  /**
   * Ends subscriptions of a client that has nothing in flight. It is answered when no node that can be reached counts
   * this data plane as a subscriber for it any more: who has the answer may rely on what PUBLISH says next. Until then
   * it hears what was published before.
   * @param keys null: all of this kind
   * @param command the id of the command at hand
   */
  unsubscribe(client: ClientConnection, kind: TopicKind, keys: readonly string[] | null, command: number): void {
    const subscriptions = this.#clients.get(client);
    const word = UNSUBSCRIBE_WORDS[kind];
    const messages: Buffer[] = [];
    const left: Topic[] = [];
    for (const key of keys ?? [...(subscriptions?.topics[kind].keys() ?? [])]) {
      const topic = subscriptions?.topics[kind].get(key);
      subscriptions?.topics[kind].delete(key);
      if (topic !== undefined) {
        topic.clients.delete(client);
        this.#context.report?.note(topic);
        topic.leaving.add(client);
        left.push(topic);
        this.#tellUnused(topic);
      }
      const name = Buffer.from(key, 'latin1');
      messages.push(confirmation(word, name, subscriptions?.countOf(kind) ?? 0, client.kind));
    }
    if (messages.length === 0) messages.push(confirmation(word, null, subscriptions?.countOf(kind) ?? 0, client.kind));
    if (subscriptions?.isEmpty === true) this.#clients.delete(client);
    const request = this.#enqueue(client, command);
    client.raiseBarrier();
    const reply = Buffer.concat(messages);
    const answer = (): void => {
      for (const topic of left) {
        topic.leaving.delete(client);
        this.#dropUnused(topic);
      }
      if (!client.closed) client.onReply(request, reply, 0, reply.length);
    };
    if (left.length === 0) answer();
    else void Promise.all([...this.#feeds.values()].map((feed) => feed.caughtUp())).then(answer);
  }

  /** The client has left, or was reset. */
  forget(client: ClientConnection): void {
    const subscriptions = this.#clients.get(client);
    if (subscriptions === null) return;
    this.#clients.delete(client);
    for (const pending of subscriptions.pending) this.#drop(pending);
    for (const topics of subscriptions.topics) {
      for (const topic of topics.values()) {
        topic.clients.delete(client);
        this.#context.report?.note(topic);
        this.#dropUnused(topic);
      }
    }
  }

  /**
   * Who hears of this topic by this data plane: its clients, each counted once a subscription, those included that are
   * about to be subscribed, and connections as the node counts them.
   * @param withPatterns whether patterns count that the topic, a channel, matches
   */
  subscribed(node: UpstreamNode, kind: TopicKind, key: string, withPatterns: boolean): Subscribed {
    const feed = this.#feeds.get(node);
    const topic = this.#topics[kind].get(key);
    const topics = topic === undefined ? [] : [topic];
    if (withPatterns) topics.push(...this.#matching(key));
    let clients = 0;
    let connections = 0;
    for (const each of topics) {
      clients += each.clients.size;
      if (feed?.topics.hears(each) !== true) continue;
      connections++;
      // One client may have asked for it several times.
      const waiting = new Set([...each.pending].map(({ client }) => client));
      for (const client of waiting) if (!each.clients.has(client)) clients++;
    }
    return { clients, connections };
  }

  onMessage(feed: Feed, kind: number, message: FeedMessage, buffer: Buffer, start: number, end: number): void {
    const topic = this.#topics[kind as TopicKind].get(message.text(buffer, 1));
    if (topic === undefined) return;
    const channel = topic.kind === PATTERN ? 2 : 1;
    const bytes = Buffer.from(buffer.subarray(start, end));
    const channelStart = (message.start[channel] as number) - start;
    const channelEnd = (message.end[channel] as number) - start;
    const limit = this.#context.options.clientOutputLimit;
    if (this.#order.mustWait(feed.node, bytes, channelStart, channelEnd)) {
      this.#order.keep(() => deliver(topic, bytes, limit));
    } else deliver(topic, bytes, limit);
  }

  onConfirmed(topic: Topic): void {
    this.#checkTopic(topic);
    this.#tellReady();
  }

  onRefused(topic: Topic, reply: Buffer): void {
    for (const pending of [...topic.pending]) {
      const { client, request } = pending;
      this.#forgetPending(pending);
      // One that was only announced asks once more when its turn has come.
      if (request !== null) client.onReply(request, reply, 0, reply.length);
      this.#confirmNext(client);
    }
    this.#tellReady();
  }

  onUp(): void {
    this.#showBehind();
  }

  onDown(): void {
    this.#check();
  }

  /** @returns stands in the client's queue */
  #enqueue(client: ClientConnection, command: number): Request {
    const request = client.begin(command);
    // Its answer is a message, which CLIENT REPLY OFF does not concern.
    request.silent = false;
    return request;
  }

  #topic(kind: TopicKind, key: string): Topic {
    const topics = this.#topics[kind];
    let topic = topics.get(key);
    if (topic === undefined) {
      topic = new Topic(kind, key);
      topics.set(key, topic);
    }
    return topic;
  }

  #listen(topic: Topic): void {
    for (const node of this.#nodes) {
      const feed = this.#feeds.get(node) ?? this.#openFeed(node);
      feed.add(topic);
    }
  }

  #openFeed(node: UpstreamNode): Feed {
    const feed = new Feed(node, this);
    this.#feeds.set(node, feed);
    return feed;
  }

  #isAwaited(topic: Topic): boolean {
    for (const feed of this.#feeds.values()) if (feed.isAwaited(topic)) return true;
    return false;
  }

  #check(): void {
    for (const pending of [...this.#pending]) for (const topic of [...pending.missing]) this.#checkTopic(topic);
    this.#tellReady();
  }

  #checkTopic(topic: Topic): void {
    if (topic.pending.size === 0 || this.#isAwaited(topic)) return;
    for (const pending of [...topic.pending]) {
      pending.missing.delete(topic);
      this.#confirmNext(pending.client);
    }
  }

  /** Confirms what the client is about to be subscribed to, as far as it can be, in the order in which it was asked for. */
  #confirmNext(client: ClientConnection): void {
    for (;;) {
      const next = this.#clients.get(client)?.pending[0];
      if (next === undefined || next.request === null || next.missing.size > 0) return;
      this.#confirm(next, next.request);
    }
  }

  /** The client is subscribed from here on. */
  #confirm(pending: PendingSubscription, request: Request): void {
    const { client, kind, topics } = pending;
    const subscriptions = this.#clients.get(client);
    if (subscriptions === null) return;
    const messages: Buffer[] = [];
    for (const topic of topics) {
      subscriptions.topics[kind].set(topic.key, topic);
      topic.clients.add(client);
      this.#context.report?.note(topic);
      messages.push(confirmation(SUBSCRIBE_WORDS[kind], topic.name, subscriptions.countOf(kind), client.kind));
    }
    this.#forgetPending(pending);
    const reply = Buffer.concat(messages);
    client.onReply(request, reply, 0, reply.length);
    deliverKept(pending);
  }

  #forgetPending(pending: PendingSubscription): void {
    const { client } = pending;
    const subscriptions = this.#clients.get(client);
    const at = subscriptions?.pending.indexOf(pending) ?? -1;
    if (at >= 0) subscriptions?.pending.splice(at, 1);
    this.#drop(pending);
    if (subscriptions?.isEmpty === true && subscriptions.pending.length === 0) this.#clients.delete(client);
  }

  #drop(pending: PendingSubscription): void {
    this.#pending.delete(pending);
    for (const topic of pending.topics) {
      topic.pending.delete(pending);
      this.#dropUnused(topic);
    }
  }

  #dropUnused(topic: Topic): void {
    this.#tellUnused(topic);
    if (topic.isUsed || topic.leaving.size > 0) return;
    // Another topic of the same name may have taken its place.
    if (this.#topics[topic.kind].get(topic.key) === topic) this.#topics[topic.kind].delete(topic.key);
  }

  /** Tells the nodes when nobody needs the topic any more. */
  #tellUnused(topic: Topic): void {
    if (topic.isUsed) return;
    for (const feed of this.#feeds.values()) feed.remove(topic);
    this.#tellReady();
  }

  /** Shows the other processes whether nodes are about to hear of topics of this one. */
  #showBehind(): void {
    const { board } = this.#context;
    if (board === null) return;
    let isBehind = false;
    for (const feed of this.#feeds.values()) if (feed.isBehind) isBehind = true;
    if (isBehind === this.#shownBehind) return;
    this.#shownBehind = isBehind;
    board.show(isBehind);
  }

  #tellReady(): void {
    this.#showBehind();
    if (this.#waiting.length === 0) return;
    for (const feed of this.#feeds.values()) if (!feed.settled) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  *#matching(key: string): Generator<Topic> {
    const patterns = this.#topics[PATTERN];
    if (patterns.size === 0) return;
    const channel = Buffer.from(key, 'latin1');
    for (const topic of patterns.values()) if (matchesGlob(topic.name, channel)) yield topic;
  }
}
