import { Histogram } from './histogram.js';

/** Groups' numbers are below (`KeyGroups`). */
const MOST_GROUPS = 256;

/** What is counted of replies that are kept near. By groups: indexed by the group's number. */
export class NearCounters {
  readonly hits = new Float64Array(MOST_GROUPS);
  readonly misses = new Float64Array(MOST_GROUPS);
  /** Keys that nodes have said to have changed. */
  invalidations = 0;
  /** How long nodes took to say that all changes were told: what is served is older than this by no more. */
  readonly lag = new Histogram();
}
