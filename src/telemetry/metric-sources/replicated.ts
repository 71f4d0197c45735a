import type { MetricSource } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, one } from './samples.js';

/** The values that every process of every proxy has. */
export function replicatedSources({ stats }: MetricReads): MetricSource[] {
  return [
    gauge(
      'ringproxy_replicated_bytes',
      'Bytes of the values of replicated groups in a process of the proxy, estimated; each process has all of them.',
      () => one(stats().replicatedBytes),
    ),
    gauge('ringproxy_replicated_keys', 'Keys of replicated groups that hold a value.', () =>
      one(stats().replicatedKeys),
    ),
    counter(
      'ringproxy_replicated_refused_total',
      'What other processes have sent of replicated groups and was not taken: from too far in the future, mostly.',
      () => one(stats().replicatedRefused),
    ),
  ];
}
