/** What is counted of the soft state: flat fields, read when somebody asks. */
export class ExchangeCounters {
  /** Of questions and answers, as they were sent and came. */
  bytesIn = 0;
  bytesOut = 0;
  /** Questions to other members, and those that were not answered in time, or wrongly. */
  exchanges = 0;
  failures = 0;
  /** Changes of others that were taken. */
  taken = 0;
  /** What came and was known already. */
  known = 0;
  /** What came and was no message, or no state, or too large: of another version, or from nobody who keeps the rules. */
  refused = 0;
  /** What came of members that are not known here. */
  strangers = 0;
  /** Parts that were not as another member had them, although they should have been, and were mended. */
  repairs = 0;
  /** Those among them where nobody could say who is right: two proxies have written as one member. They were joined. */
  conflicts = 0;
}

export interface SoftStateFigures {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly exchanges: number;
  readonly failures: number;
  readonly taken: number;
  readonly known: number;
  readonly refused: number;
  readonly strangers: number;
  readonly repairs: number;
  readonly conflicts: number;
  /** Stamps too far ahead of this machine's clock. */
  readonly drifted: number;
  readonly entries: number;
  /** Of all entries, estimated. */
  readonly bytes: number;
  readonly tombstones: number;
  /** Members that were dropped with all that they have said. */
  readonly dropped: number;
  /** Seconds since something was heard of each other member. */
  readonly lags: ReadonlyMap<string, number>;
}
