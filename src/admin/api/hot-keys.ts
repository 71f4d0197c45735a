/** The keys that are used most. */

/** `GET /v1/hot` and `ringproxy hot --json`: the keys that are used most, the hottest first. */
export interface HotView {
  keys: HotKeyView[];
  /** Uses of keys that were looked at to find out; what is long ago counts less. With few of them, the order is by chance. */
  sampled: number;
  /** Uses of keys a second, of all keys: a command of several keys uses each of them. */
  perSecond: number;
  /** Whose part is missing, and why. */
  missing: { proxy: string; why: string }[];
}

export interface HotKeyView {
  /** UTF-8 that can be seen is as it is, each other byte `\xNN`, a backslash `\\`. Of a long key the beginning, with `…`. */
  key: string;
  /** Of the whole key. */
  bytes: number;
  database: number;
  /** Of `key-groups`; null: none are configured. */
  group: string | null;
  /** Null: the key is too long to be remembered whole, or every proxy has it (a replicated group), and no node. */
  node: string | null;
  commandsPerSecond: number;
  /** Of all uses of keys, 0 to 1. */
  share: number;
  /** How many of its uses only read it, 0 to 1. */
  reads: number;
  /** A proxy keeps it near, since it is hot (`near-auto`). */
  near: boolean;
  /** How its group is cached; null: there are no groups. */
  cache: 'sharded' | 'near' | 'replicated' | null;
}
