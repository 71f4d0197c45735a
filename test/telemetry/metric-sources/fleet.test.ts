/** The metrics of a fleet, of what is known of it. */
import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { EtcdCounts } from '../../../src/telemetry/etcd-counts.js';
import { FenceCounts } from '../../../src/telemetry/fence-counts.js';
import { type FleetReads, fleetFigures } from '../../../src/telemetry/fleet-figures.js';
import { fleetSources } from '../../../src/telemetry/metric-sources/fleet.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import { coordinationView, proxyView } from '../../cli/fake-admin.js';
import { startRedises } from '../../support/redis-process.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import { scrape, seriesOf } from '../../support/series.js';

async function seriesFor(reads: Omit<FleetReads, 'fences'>): Promise<Record<string, number>> {
  const nothing = (): never => {
    throw new Error('not asked for');
  };
  const identity = { proxyId: 'a', version: '', startedAt: 0 };
  const rest = {
    identity,
    stats: nothing,
    ring: nothing,
    hotKeys: nothing,
    movedKeys: nothing,
    bytesMoved: nothing,
    strays: nothing,
    refused: nothing,
    ejections: nothing,
    tls: nothing,
  };
  const fences = new FenceCounts();
  const end = fences.listen();
  channel('ringproxy:fence:passed').publish({ seconds: 0.04 });
  channel('ringproxy:fence:given-up').publish({ seconds: 2 });
  end();
  const text = await new Metrics(fleetSources({ ...rest, ...reads, fences: () => fences.read() })).text();
  expect(text).not.toContain('NaN');
  return Object.fromEntries(seriesOf(text).filter(([name]) => !name.includes('_bucket')));
}

const proxies = [
  proxyView({ id: 'a', jobs: ['mover/n1', 'mover/n2'], coordinator: true, generation: 6 }),
  proxyView({ id: 'b', generation: 7, coordinator: false }),
  proxyView({ id: 'c', alive: false, coordinator: false }),
  proxyView({ id: 'd', alive: false, fencedOff: true, coordinator: false }),
];

describe('the metrics of a fleet', () => {
  it('count members by state, each once, and say what this proxy does and lags', async () => {
    const coordination = coordinationView({ kind: 'etcd', proxy: 'a', leaseSeconds: 7.5 });
    const fleet = fleetFigures(proxies, coordination, 6);
    expect(
      await seriesFor({ fleet: () => fleet, etcd: () => null, softState: () => null, values: () => null }),
    ).toEqual({
      'ringproxy_fleet_members{state="alive"}': 2,
      'ringproxy_fleet_members{state="away"}': 1,
      'ringproxy_fleet_members{state="fenced"}': 1,
      ringproxy_fleet_coordinator: 1,
      'ringproxy_fleet_jobs{job="mover/n1"}': 1,
      'ringproxy_fleet_jobs{job="mover/n2"}': 1,
      ringproxy_fleet_generation_lag: 1,
      'ringproxy_fences_total{outcome="passed"}': 1,
      'ringproxy_fences_total{outcome="given up"}': 1,
      ringproxy_fence_duration_seconds_sum: 2.04,
      ringproxy_fence_duration_seconds_count: 2,
      ringproxy_fleet_lease_seconds: 7.5,
    });
    const other = fleetFigures(proxies, { ...coordination, proxy: 'b' }, 7);
    expect(other).toMatchObject({ isCoordinator: false, jobs: [], generationLag: 0 });
  });

  it('count what was asked of etcd and told to others', async () => {
    const counts = new EtcdCounts();
    for (const seconds of [0.5, 0.25]) counts.note({ operation: 'txn', outcome: 'ok', seconds });
    counts.note({ operation: 'txn', outcome: 'timeout', seconds: 1 });
    for (const outcome of ['ok', 'ok', 'failed', 'refused'])
      counts.note({ operation: 'keepalive', outcome, seconds: 0 });
    counts.note({ operation: 'watch', outcome: 'ok', seconds: 500 });
    const series = await seriesFor({
      fleet: () => fleetFigures([], coordinationView(), 1),
      etcd: () => ({ isReachable: false, ...counts.read() }),
      values: () => null,
      softState: () => ({
        ...{ bytesIn: 10, bytesOut: 20, exchanges: 30, failures: 2, refused: 1, drifted: 4 },
        ...{ conflicts: 3, entries: 5, tombstones: 6 },
        lags: new Map([
          ['b', 0.2],
          ['c', 4],
        ]),
      }),
    });
    expect(series).toMatchObject({
      ringproxy_etcd_up: 0,
      'ringproxy_etcd_requests_total{operation="txn",outcome="ok"}': 2,
      'ringproxy_etcd_requests_total{operation="txn",outcome="timeout"}': 1,
      ringproxy_etcd_duration_seconds_sum: 1.75,
      ringproxy_etcd_duration_seconds_count: 7,
      'ringproxy_fleet_lease_renewals_total{outcome="ok"}': 2,
      'ringproxy_fleet_lease_renewals_total{outcome="error"}': 2,
      'ringproxy_crdt_bytes_total{direction="in"}': 10,
      'ringproxy_crdt_bytes_total{direction="out"}': 20,
      ringproxy_crdt_lag_seconds: 4,
      'ringproxy_crdt_exchanges_total{outcome="error"}': 2,
      'ringproxy_crdt_exchanges_total{outcome="ok"}': 28,
      ringproxy_crdt_conflicts_total: 3,
      ringproxy_crdt_refused_total: 5,
      'ringproxy_crdt_entries{kind="live"}': 5,
      'ringproxy_crdt_entries{kind="tombstone"}': 6,
    });
  });

  // A rule such as `sum by (job) (ringproxy_fleet_coordinator) == 0` is right for it, too.
  it('of a proxy that is alone are those of a fleet of one, without etcd and others', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const series = [...(await scrape(proxy.admin))].filter(([name]) => /^ringproxy_(fleet|etcd|crdt)_/.test(name));
    expect(Object.fromEntries(series)).toEqual({
      'ringproxy_fleet_members{state="alive"}': 1,
      'ringproxy_fleet_members{state="away"}': 0,
      'ringproxy_fleet_members{state="fenced"}': 0,
      ringproxy_fleet_coordinator: 1,
      ringproxy_fleet_generation_lag: 0,
    });
  });
});
