import { FILL_OUTCOMES } from '../../proxy/measure/fill-counts.js';
import { REPLICA_READ_OUTCOMES } from '../../proxy/measure/replica-read-counts.js';
import type { MetricSource, Sample } from '../metrics.js';
import { durations } from './durations.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, outcomes } from './samples.js';

/** How well the cache serves, as a whole and by groups of keys. */
export function keyGroupSources({ stats }: MetricReads): MetricSource[] {
  return [
    counter('ringproxy_cache_requests_total', 'Reads that found their key (hit) or not (miss).', () =>
      results({}, stats()),
    ),
    counter('ringproxy_key_group_commands_total', 'Commands on keys of each group of key-groups, by outcome.', () =>
      stats().groups.flatMap((row) => outcomes({ group: row.group }, row.calls, row.errors)),
    ),
    durations(
      'ringproxy_key_group_duration_seconds',
      'Time from a whole command to its whole reply, by the group of its first key.',
      () => stats().groups,
      ({ group }) => ({ group }),
    ),
    counter(
      'ringproxy_key_group_cache_requests_total',
      'Reads that found their key (hit) or not (miss), by the group of the key.',
      () => stats().groups.flatMap((row) => results({ group: row.group }, row)),
    ),
    counter(
      'ringproxy_fill_waits_total',
      'Misses in groups with fill-wait: their clients were to fill the key (first, next), or waited for the one that was.',
      () =>
        stats().groups.flatMap(({ group, fills }) =>
          FILL_OUTCOMES.map((outcome) => ({ labels: { group, outcome }, value: fills[outcome] })),
        ),
    ),
    counter(
      'ringproxy_replica_reads_total',
      'Reads of one key in groups with read-from: replica, by who has answered: a replica, or for what reason the master.',
      () =>
        stats().groups.flatMap(({ group, replicaReads }) =>
          REPLICA_READ_OUTCOMES.map((outcome) => ({ labels: { group, outcome }, value: replicaReads[outcome] })),
        ),
    ),
    durations(
      'ringproxy_replica_age_seconds',
      'How old what replicas were proven to have was when they were sent reads: what was read is late by no more.',
      () => [{ time: stats().replicaAge }],
      () => ({}),
    ),
    gauge(
      'ringproxy_node_replicas',
      'Replicas that may be read from, by whether they are known to follow their master.',
      () =>
        stats().replicas.flatMap(({ node, known, proven }) => [
          { labels: { node, state: 'proven' }, value: proven },
          { labels: { node, state: 'unproven' }, value: known - proven },
        ]),
    ),
  ];
}

function results(
  labels: Readonly<Record<string, string>>,
  { hits, misses }: { readonly hits: number; readonly misses: number },
): Sample[] {
  return [
    { labels: { ...labels, result: 'hit' }, value: hits },
    { labels: { ...labels, result: 'miss' }, value: misses },
  ];
}
