import type { ClientConnection } from '../client/client-connection.js';
import type { Request } from '../request.js';
import type { Topic, TopicKind } from './topic.js';

/** A SUBSCRIBE, PSUBSCRIBE or SSUBSCRIBE that waits until the nodes have confirmed all its topics. */
export interface PendingSubscription {
  readonly client: ClientConnection;
  /** Stands in the client's queue. */
  readonly request: Request;
  readonly kind: TopicKind;
  /** As the client named them, repetitions included. */
  readonly topics: readonly Topic[];
  /** Those that are not confirmed yet. */
  readonly missing: Set<Topic>;
}
