/** What others may know of a transaction: which keys EXEC will touch. */
export interface QueuedKeys {
  readonly keyCount: number;
  /** The bytes of key number `i`. */
  keyAt(i: number): Buffer;
  /** It has commands that touch keys which are not among these: FLUSHALL, a script that declares none, SORT by patterns. */
  readonly touchesAnyKey: boolean;
}
