/** What clients subscribe to: a channel, a pattern of channels, or a shard channel. */
import type { TopicKind } from '../../peers/topic-kind.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { PendingSubscription } from './pending-subscription.js';

/** Index-aligned with the kinds. */
export const SUBSCRIBE_WORDS = ['subscribe', 'psubscribe', 'ssubscribe'] as const;
export const UNSUBSCRIBE_WORDS = ['unsubscribe', 'punsubscribe', 'sunsubscribe'] as const;
export const MESSAGE_WORDS: readonly string[] = ['message', 'pmessage', 'smessage'];

export class Topic {
  readonly kind: TopicKind;
  /** The name with one character for each byte, so that names of any bytes are told apart. */
  readonly key: string;
  readonly name: Buffer;
  /** Those whose subscription is confirmed. */
  readonly clients = new Set<ClientConnection>();
  /** Those that wait for the nodes. */
  readonly pending = new Set<PendingSubscription>();
  /** Those that have sent UNSUBSCRIBE and are not answered yet: they still hear what was published before. */
  readonly leaving = new Set<ClientConnection>();

  constructor(kind: TopicKind, key: string) {
    this.kind = kind;
    this.key = key;
    this.name = Buffer.from(key, 'latin1');
  }

  /** Whether the nodes are to be listened to for it. */
  get isUsed(): boolean {
    return this.clients.size > 0 || this.pending.size > 0;
  }
}
