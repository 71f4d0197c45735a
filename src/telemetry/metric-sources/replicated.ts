import type { ValueFigures } from '../fleet-figures.js';
import type { MetricSource, Sample } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, one, outcomes } from './samples.js';

/** The values that every process of every proxy has. */
export function replicatedSources({ stats, values }: MetricReads): MetricSource[] {
  const ifAny = (read: (figures: ValueFigures) => Sample[]) => (): Sample[] => {
    const figures = values();
    return figures === null ? [] : read(figures);
  };
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
    gauge(
      'ringproxy_replicated_lag_seconds',
      'How long the last writes to replicated groups that came from another proxy had waited there.',
      ifAny(({ lag }) => one(lag)),
    ),
    counter(
      'ringproxy_replicated_exchanges_total',
      'Questions to other proxies about replicated groups, by whether they were answered as they should be.',
      ifAny(({ questions, failures }) => outcomes({}, questions, failures)),
    ),
    counter(
      'ringproxy_replicated_repairs_total',
      'Parts of replicated groups that were not as another proxy had them, and were exchanged.',
      ifAny(({ repairs }) => one(repairs)),
    ),
  ];
}
