/** What can be subscribed to. */
export const CHANNEL = 0;
export const PATTERN = 1;
export const SHARD = 2;

export type TopicKind = typeof CHANNEL | typeof PATTERN | typeof SHARD;

/** A channel that a command publishes on. */
export interface Published {
  readonly kind: TopicKind;
  /** One character for each byte. */
  readonly key: string;
}
