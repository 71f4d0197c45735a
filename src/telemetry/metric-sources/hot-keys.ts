import { shareOfHottest } from '../../proxy/measure/hot-keys/hot-report.js';
import type { MetricSource } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { gauge, one } from './samples.js';

/** How unevenly keys are used: of each of these numbers of keys a series, and none of a key. */
const TOPS = [1, 20] as const;

export function hotKeySources({ hotKeys }: MetricReads): MetricSource[] {
  return [
    gauge(
      'ringproxy_hot_keys_share',
      'Part of all uses of keys that the hottest keys have lately: the hottest one, and the 20 hottest.',
      () => TOPS.map((top) => ({ labels: { top: String(top) }, value: shareOfHottest(hotKeys(), top) })),
    ),
    gauge('ringproxy_hot_keys_near', 'Keys that are kept near since they are hot (near-auto).', () =>
      one(hotKeys().keys.filter(({ near }) => near).length),
    ),
  ];
}
