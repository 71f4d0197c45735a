import type { EtcdFigures, SoftStateFigures } from '../fleet-figures.js';
import type { MetricSource, Sample } from '../metrics.js';
import { durations } from './durations.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, one, outcomes } from './samples.js';

/**
 * The proxies of the ring, and what they agree and tell each other by. A proxy that is alone is a fleet of one, so that a
 * rule about members is right for it, too; what it does not have (etcd, peers) has no series.
 */
export function fleetSources(reads: MetricReads): MetricSource[] {
  return [...memberSources(reads), ...fenceSources(reads), ...etcdSources(reads), ...softStateSources(reads)];
}

function memberSources({ fleet }: MetricReads): MetricSource[] {
  return [
    gauge(
      'ringproxy_fleet_members',
      'Proxies of the ring as this one sees them: alive, away (no lease; fences wait for them) or fenced.',
      () => Object.entries(fleet().members).map(([state, value]) => ({ labels: { state }, value })),
    ),
    gauge('ringproxy_fleet_coordinator', '1 when this proxy decides about the ring, otherwise 0.', () =>
      one(fleet().isCoordinator ? 1 : 0),
    ),
    gauge(
      'ringproxy_fleet_jobs',
      '1 for each job of the fleet that this proxy does. Prometheus shows the label job as exported_job.',
      () => fleet().jobs.map((job) => ({ labels: { job }, value: 1 })),
    ),
    gauge(
      'ringproxy_fleet_generation_lag',
      'Generations that this proxy is behind the newest ring that it has heard of.',
      () => one(fleet().generationLag),
    ),
    gauge('ringproxy_fleet_lease_seconds', 'For how long the lease of this proxy holds yet; 0: it has run out.', () => {
      const { leaseSeconds } = fleet();
      return leaseSeconds === null ? [] : one(leaseSeconds);
    }),
  ];
}

function fenceSources({ fences }: MetricReads): MetricSource[] {
  return [
    counter('ringproxy_fences_total', 'Fences of ring changes, by outcome: passed, or given up.', () => [
      { labels: { outcome: 'passed' }, value: fences().passed },
      { labels: { outcome: 'given up' }, value: fences().givenUp },
    ]),
    durations(
      'ringproxy_fence_duration_seconds',
      'For how long fences stood, which is how long commands on moved keys were held.',
      () => [fences()],
      () => ({}),
    ),
  ];
}

function etcdSources({ etcd }: MetricReads): MetricSource[] {
  const ifAny = (read: (figures: EtcdFigures) => Sample[]) => (): Sample[] => {
    const figures = etcd();
    return figures === null ? [] : read(figures);
  };
  return [
    gauge(
      'ringproxy_etcd_up',
      '1 when etcd answers this proxy, otherwise 0.',
      ifAny(({ isReachable }) => one(isReachable ? 1 : 0)),
    ),
    counter(
      'ringproxy_etcd_requests_total',
      'Requests to etcd, by operation and outcome (ok, or what was wrong); keepalive renews the lease of this proxy.',
      ifAny(({ requests }) =>
        requests.map(({ operation, outcome, count }) => ({ labels: { operation, outcome }, value: count })),
      ),
    ),
    durations(
      'ringproxy_etcd_duration_seconds',
      'Time until etcd answered, or failed to; watches are left out.',
      () => {
        const figures = etcd();
        return figures === null ? [] : [figures];
      },
      () => ({}),
    ),
    counter(
      'ringproxy_fleet_lease_renewals_total',
      'Renewals of the lease of this proxy, by outcome.',
      ifAny(({ requests }) => {
        const renewals = requests.filter(({ operation }) => operation === 'keepalive');
        const all = renewals.reduce((sum, { count }) => sum + count, 0);
        return outcomes({}, all, all - (renewals.find(({ outcome }) => outcome === 'ok')?.count ?? 0));
      }),
    ),
  ];
}

function softStateSources({ softState, values }: MetricReads): MetricSource[] {
  const ifAny = (read: (figures: SoftStateFigures) => Sample[]) => (): Sample[] => {
    const figures = softState();
    return figures === null ? [] : read(figures);
  };
  return [
    counter(
      'ringproxy_crdt_bytes_total',
      'Bytes of soft state and of replicated groups from (in) and to (out) other proxies.',
      ifAny(({ bytesIn, bytesOut }) => [
        { labels: { direction: 'in' }, value: bytesIn + (values()?.bytesIn ?? 0) },
        { labels: { direction: 'out' }, value: bytesOut + (values()?.bytesOut ?? 0) },
      ]),
    ),
    gauge(
      'ringproxy_crdt_lag_seconds',
      'Since when nothing was heard of another proxy: the longest of all.',
      ifAny(({ lags }) => one(Math.max(0, ...lags.values()))),
    ),
    counter(
      'ringproxy_crdt_exchanges_total',
      'Questions to other proxies, by whether they were answered as they should be.',
      ifAny(({ exchanges, failures }) => outcomes({}, exchanges, failures)),
    ),
    counter(
      'ringproxy_crdt_conflicts_total',
      'Parts of the soft state that differed between two proxies, should not have, and were mended.',
      ifAny(({ conflicts }) => one(conflicts)),
    ),
    counter(
      'ringproxy_crdt_refused_total',
      'What came from others and was not taken: no message, too large, or from too far in the future.',
      ifAny(({ refused, drifted }) => one(refused + drifted)),
    ),
    gauge(
      'ringproxy_crdt_entries',
      'Entries of the soft state, by kind: live ones, and tombstones of those that are gone.',
      ifAny(({ entries, tombstones }) => [
        { labels: { kind: 'live' }, value: entries },
        { labels: { kind: 'tombstone' }, value: tombstones },
      ]),
    ),
  ];
}
