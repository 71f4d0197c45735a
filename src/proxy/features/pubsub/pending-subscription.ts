import type { TopicKind } from '../../peers/topic-kind.js';
import type { Request } from '../../request/request.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Topic } from './topic.js';

/**
 * A SUBSCRIBE, PSUBSCRIBE or SSUBSCRIBE that waits until the nodes have confirmed all its topics. What some of them
 * publish meanwhile is kept for it: who published it was told that it would be delivered.
 */
export class PendingSubscription {
  readonly client: ClientConnection;
  /** Stands in the client's queue; null: the client waits for replies to what it has sent before. */
  request: Request | null = null;
  readonly kind: TopicKind;
  /** As the client named them, repetitions included. */
  readonly topics: readonly Topic[];
  /** Those that are not confirmed yet. */
  readonly missing: Set<Topic>;
  /** Messages that follow the confirmation, in RESP2. */
  readonly kept: Buffer[] = [];
  keptBytes = 0;

  constructor(client: ClientConnection, kind: TopicKind, topics: readonly Topic[], missing: Set<Topic>) {
    this.client = client;
    this.kind = kind;
    this.topics = topics;
    this.missing = missing;
  }
}
