import { bulk, integer, nullBulk, push } from '../../../resp/encode.js';
import { CHANNEL, PATTERN, SHARD, type TopicKind } from '../../peers/topic-kind.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import type { PendingSubscription } from './pending-subscription.js';
import type { Topic } from './topic.js';

/** What one client is subscribed to. */
export class Subscriptions {
  /** By kind, then by key, in the order of subscription. */
  readonly topics: readonly [Map<string, Topic>, Map<string, Topic>, Map<string, Topic>] = [
    new Map(),
    new Map(),
    new Map(),
  ];
  /** What is about to be confirmed, in this order. */
  readonly pending: PendingSubscription[] = [];

  get isEmpty(): boolean {
    return this.topics.every((topics) => topics.size === 0);
  }

  /** What a confirmation of this kind counts: shard channels apart from the others, as in Redis. */
  countOf(kind: TopicKind): number {
    return kind === SHARD ? this.topics[SHARD].size : this.topics[CHANNEL].size + this.topics[PATTERN].size;
  }
}

/** The message that confirms the beginning or the end of a subscription. @param name null: there was none to end */
export function confirmation(word: string, name: Buffer | null, count: number, kind: LaneKind): Buffer {
  const { protocol } = kind;
  return push([bulk(word), name === null ? nullBulk(protocol) : bulk(name), integer(count)], protocol);
}
