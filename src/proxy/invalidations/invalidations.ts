/**
 * What nodes say of changed keys, once for all who want to know in this data plane: one feed to each node, for as long
 * as somebody subscribes, of the prefixes that all of them have together.
 *
 *   node ─▶ feed ─▶ Invalidations ─▶ subscriber (client-side caching), subscriber (near), …
 *
 * A subscriber hears of keys beyond its prefixes, where others have asked for these. What it must not rely on is said
 * by `isHeard` and by null in the place of keys: a feed was lost, a node has left, prefixes have changed.
 */
import type { RoutingSnapshot } from '../snapshot.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { type FeedListener, InvalidationFeed } from './feed.js';
import { coverOf } from './prefixes.js';

const EVERYTHING = '';
/**
 * Nodes are asked for so many prefixes; where there are more, for all keys: a node walks over all its prefixes with
 * every write, and clients that come and go with prefixes of their own would make them more and more.
 */
export const MOST_LISTENED = 1000;

export interface Subscriber {
  /** Keys that it wants to hear of begin with one of these (one character for each byte); empty: none. */
  readonly prefixes: readonly string[];
  /** These keys have changed; null: all of this node's may have. */
  onInvalidated(keys: readonly Buffer[] | null, node: UpstreamNode): void;
  /** Whether a feed is ready, or down, has changed. */
  onFeedChanged(): void;
  /**
   * The node has answered a question of its feed (`barrier`): whatever had changed at `askedAt`, by the clock, was told
   * before. Where somebody wants to hear this, nodes are asked all the time.
   */
  onHeard?(node: UpstreamNode, barrier: number, askedAt: number): void;
}

export interface Subscription {
  /** From now on it wants to hear of keys with these prefixes. */
  listen(prefixes: readonly string[]): void;
  end(): void;
}

interface Subscribed {
  prefixes: readonly string[];
  readonly subscriber: Subscriber;
}

export class Invalidations implements FeedListener {
  readonly #feeds = new Map<UpstreamNode, InvalidationFeed>();
  readonly #subscribed = new Set<Subscribed>();
  #snapshot: RoutingSnapshot | null = null;
  #nodes: readonly UpstreamNode[] = [];
  /** Keys with these prefixes are listened to; none begins with another. */
  #prefixes: readonly string[] = [];
  #allReady = false;

  subscribe(subscriber: Subscriber): Subscription {
    const subscribed: Subscribed = { prefixes: subscriber.prefixes, subscriber };
    this.#subscribed.add(subscribed);
    this.#listen();
    return {
      listen: (prefixes) => {
        subscribed.prefixes = prefixes;
        this.#listen();
      },
      end: () => {
        this.#subscribed.delete(subscribed);
        this.#listen();
      },
    };
  }

  /** Every node is listened to. */
  get allReady(): boolean {
    return this.#allReady;
  }

  /** Every node is listened to that can be reached. */
  get settled(): boolean {
    for (const feed of this.#feeds.values()) if (!feed.ready && !feed.down) return false;
    return true;
  }

  /** Whether changes of this key are heard from every node that it may be on. */
  isHeard(key: Uint8Array): boolean {
    if (this.#allReady) return true;
    if (this.#snapshot === null) return false;
    const { rings } = this.#snapshot;
    const hash = rings.hashOf(key, 0, key.length);
    const isReady = (index: number): boolean => {
      const node = this.#nodes[index];
      return node !== undefined && this.#feeds.get(node)?.ready === true;
    };
    return isReady(rings.ownerOf(hash)) && (!rings.isChanging || isReady(rings.nextOwnerOf(hash)));
  }

  /** Whether changes of the node's keys are heard. */
  isReady(node: UpstreamNode): boolean {
    return this.#feeds.get(node)?.ready === true;
  }

  /**
   * Has the node asked whether all was told that has changed until now.
   * @returns the number of the question that is answered then (`onHeard`), rising with each node; -1: it is not listened to
   */
  barrier(node: UpstreamNode): number {
    const feed = this.#feeds.get(node);
    return feed?.ready === true ? feed.barrier() : -1;
  }

  /** @param nodes index-aligned with the snapshot's */
  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.#snapshot = snapshot;
    this.#nodes = nodes;
    if (this.#prefixes.length === 0) return;
    for (const [node, feed] of this.#feeds) {
      if (nodes.includes(node)) continue;
      this.#feeds.delete(node);
      feed.close();
      // Its keys may be gone with it.
      this.onInvalidated(node, null);
    }
    this.#openFeeds();
  }

  /** Called about ten times a second. */
  tick(): void {
    let heartbeat = false;
    for (const { subscriber } of this.#subscribed) heartbeat ||= subscriber.onHeard !== undefined;
    for (const feed of this.#feeds.values()) feed.tick(heartbeat);
  }

  close(): void {
    this.#prefixes = [];
    const feeds = [...this.#feeds.values()];
    this.#feeds.clear();
    this.#allReady = false;
    for (const feed of feeds) feed.close();
  }

  onInvalidated(node: UpstreamNode, keys: readonly Buffer[] | null): void {
    for (const { subscriber } of this.#subscribed) subscriber.onInvalidated(keys, node);
  }

  onFeedChanged(): void {
    this.#allReady = this.#feeds.size > 0 && [...this.#feeds.values()].every((feed) => feed.ready);
    for (const { subscriber } of this.#subscribed) subscriber.onFeedChanged();
  }

  onHeard(node: UpstreamNode, barrier: number, askedAt: number): void {
    for (const { subscriber } of this.#subscribed) subscriber.onHeard?.(node, barrier, askedAt);
  }

  #listen(): void {
    const all = coverOf([...this.#subscribed].flatMap(({ prefixes }) => prefixes));
    const cover = all.length > MOST_LISTENED ? [EVERYTHING] : all;
    if (cover.length === 0) {
      this.close();
      return;
    }
    const isSame = cover.length === this.#prefixes.length && cover.every((prefix, i) => prefix === this.#prefixes[i]);
    if (isSame) return;
    this.#prefixes = cover;
    for (const feed of this.#feeds.values()) feed.listen(cover);
    this.#openFeeds();
  }

  #openFeeds(): void {
    for (const node of this.#nodes) {
      if (!this.#feeds.has(node)) this.#feeds.set(node, new InvalidationFeed(node, this.#prefixes, this));
    }
    this.onFeedChanged();
  }
}
