/** What would bring keys together that commands have on several nodes. */

/**
 * `GET /v1/advice` and `ringproxy advise --json`: which keys commands had on several nodes since the proxies were
 * started. Counts are of all proxies of the ring; with `fleet=false` of the one that is asked.
 */
export interface AdviceView {
  /** Commands whose keys were on several nodes; of those that are split by key (MGET) an estimate. */
  commands: number;
  /** How many of these were refused. */
  refused: number;
  /** The commonest first. */
  advice: AdviceRow[];
  /** `ring.hash-tags` that would do without changing names, with those that the ring has; empty: none would. */
  hashTags: string[];
  /** Whose part is missing, and why. */
  missing: { proxy: string; why: string }[];
}

export interface AdviceRow {
  command: string;
  calls: number;
  /** How many of these were answered an error for it. */
  refused: number;
  /** What its keys look like: an asterisk for what differs from command to command. */
  keys: string[];
  /** The same keys with a hash tag that brings them together; null: none would, or none is worth it. */
  tagged: string[] | null;
  /** Patterns of `ring.hash-tags` that do the same; null: none would. */
  patterns: string[] | null;
  /** `value`: keys with the same value there are on one node. `prefix`: all such keys are on one node. */
  scope: 'value' | 'prefix' | null;
  /** Keys of one such command. */
  example: string[];
}
