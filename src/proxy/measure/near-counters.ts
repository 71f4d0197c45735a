import { Histogram } from './histogram.js';

/** What is counted of replies that are kept near, beside what is counted by groups. */
export class NearCounters {
  /** Keys that nodes have said to have changed. */
  invalidations = 0;
  /** How long nodes took to say that all changes were told: what is served is late by no more. */
  readonly lag = new Histogram();
}
