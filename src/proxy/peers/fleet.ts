/** What the data plane hears of other proxies of its ring, and tells them: soft state, which may be late. */
import type { Subscribed } from './peers.js';
import type { TopicKind } from './topic-kind.js';

/** How many clients of a process are subscribed to something. */
export interface TopicCount {
  readonly kind: TopicKind;
  /** One character for each byte. */
  readonly key: string;
  readonly clients: number;
}

/** The same of all processes of a proxy together. */
export interface ProxyTopic extends TopicCount {
  /** As a node counts them: one for each process that has several such clients. */
  readonly connections: number;
}

/**
 * Who is subscribed at other proxies, as far as they have told. They tell only where they have more clients than
 * connections that a node counts for them: what they say nothing of is as the node counts it.
 */
export interface FleetSubscribers {
  /** Whether nobody has told anything. */
  readonly isEmpty: boolean;
  subscribed(kind: TopicKind, key: string): Subscribed;
  /** Patterns that were told of, each once. */
  readonly patterns: Iterable<readonly [pattern: string, subscribed: Subscribed]>;
}

/** The other proxies of the ring. */
export interface FleetPort {
  /** Tells what has changed: each topic that several clients are subscribed to, or were. */
  report(topics: readonly TopicCount[]): void;
  /** Null: the primary process knows, and says it together with what other processes say. */
  readonly subscribers: FleetSubscribers | null;
}
