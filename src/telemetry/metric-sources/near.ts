import type { MetricSource } from '../metrics.js';
import { durations } from './durations.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, one } from './samples.js';

/** What is kept near: how often it serves, what it takes, and how late it is. */
export function nearSources({ stats }: MetricReads): MetricSource[] {
  return [
    counter(
      'ringproxy_near_requests_total',
      'Reads of keys that may be kept near, which were answered from there (hit) or by the node (miss), by group.',
      () =>
        stats().groups.flatMap(({ group, nearHits, nearMisses }) => [
          { labels: { group, result: 'hit' }, value: nearHits },
          { labels: { group, result: 'miss' }, value: nearMisses },
        ]),
    ),
    gauge('ringproxy_near_bytes', 'Bytes of replies that are kept near, in all processes together.', () =>
      one(stats().groups.reduce((sum, { nearBytes }) => sum + nearBytes, 0)),
    ),
    counter(
      'ringproxy_near_invalidations_total',
      'Keys that nodes have said to have changed, where replies are kept near.',
      () => one(stats().near.invalidations),
    ),
    durations(
      'ringproxy_near_lag_seconds',
      'Time in which a node has said, when asked, that all changes were told: what is kept near is late by no more.',
      () => [{ time: stats().near.lag }],
      () => ({}),
    ),
  ];
}
