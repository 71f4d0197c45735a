/** Keys on nodes that do not own them. */

/** `GET /v1/ring/check`. */
export interface StrayReport {
  /** A check that was asked for is under way. */
  running: boolean;
  /** It removes what it finds. */
  fix: boolean;
  nodes: NodeStrays[];
}

/** What a look at the keys of one node has found. */
export interface NodeStrays {
  node: string;
  address: string;
  /** When all of its keys were last looked at (ISO date), or null. */
  checkedAt: string | null;
  /** That were looked at. */
  keys: number;
  /** Those that the node does not own, and has. */
  strays: number;
  removed: number;
  /**
   * Keys of replicated groups, which no node should have: clients do not see them here, and they are never removed. A
   * script that does not declare its keys writes such, or they were there before their group became a replicated one.
   */
  replicated: number;
  /** Of the strays and those removed, by likely cause. */
  causes: { restart: number; ejection: number; other: number };
  /** Some of them. */
  examples: { database: number; key: string }[];
  /** Why the node could not be looked at, or null. */
  error: string | null;
}
