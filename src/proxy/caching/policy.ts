/** How the keys of a group are cached: what `key-groups` may say beside their prefixes. */

/**
 * - `sharded`: on the node that owns the key, and nowhere else.
 * - `near`: there, and for a while in each process of the proxy that it was read through.
 * - `replicated`: on no node, but in every process of every proxy.
 */
export const CACHE_TYPES = ['sharded', 'near', 'replicated'] as const;
export type CacheType = (typeof CACHE_TYPES)[number];

/** Which server of a node answers reads of one key. */
export const READ_FROM = ['master', 'replica'] as const;
export type ReadFrom = (typeof READ_FROM)[number];

/** Durations in milliseconds, sizes in bytes; 0: off, or no bound. */
export interface CachePolicy {
  readonly cache: CacheType;
  /** `near`: the greatest age of what is kept, however long the key lives. 0, of no group: nothing is kept yet, but writes are seen. */
  readonly nearTtl: number;
  /** How long a client has to fill a key that it misses, while others wait for it: for two of them at most. */
  readonly fillWait: number;
  /** `near`: how long the last value is shown to others while one client fills the key anew. */
  readonly stale: number;
  /** `near`: one client sees a miss shortly before the key expires. */
  readonly earlyRefresh: boolean;
  /** A key that is made without a time to live gets this one. */
  readonly defaultTtl: number;
  /** Times to live are shortened by a random share of themselves, up to this one: 0 to 1. */
  readonly ttlJitter: number;
  readonly maxTtl: number;
  readonly maxValueBytes: number;
  /** `sharded`: `replica` is that of a node that has one which is no later than `maxLag`; otherwise it is the master. */
  readonly readFrom: ReadFrom;
  /** `readFrom: replica`: by how much a replica may lag behind its master. */
  readonly maxLag: number;
}

/** Of a group that says nothing else, and of keys without a group. */
export const SHARDED: CachePolicy = {
  cache: 'sharded',
  nearTtl: 5_000,
  fillWait: 0,
  stale: 0,
  earlyRefresh: false,
  defaultTtl: 0,
  ttlJitter: 0,
  maxTtl: 0,
  maxValueBytes: 0,
  readFrom: 'master',
  maxLag: 1_000,
};

/** A group as it is configured. */
export interface KeyGroup {
  readonly group: string;
  /** What its keys begin with. */
  readonly prefixes: readonly string[];
  /** Null: its keys are sharded, and only counted apart. */
  readonly policy: CachePolicy | null;
}
