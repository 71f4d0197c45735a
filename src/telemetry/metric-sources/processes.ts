import type { ProcessFigures } from '../../proxy/measure/plane-stats.js';
import type { MetricSource } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, one } from './samples.js';

/** What the proxy itself uses: each process, then all of them together. */
export function processSources(reads: MetricReads): MetricSource[] {
  const { stats, identity } = reads;
  return [
    ...workerSources(reads),
    counter('ringproxy_cpu_seconds_total', 'Processor time of all processes of the proxy, user and system.', () =>
      one(stats().cpuSeconds),
    ),
    gauge(
      'ringproxy_event_loop_lag_seconds',
      'By how much the event loop was late on average in the last second; of several workers the latest.',
      () => one(stats().loopLag),
    ),
    gauge('ringproxy_resident_memory_bytes', 'Resident memory of all processes of the proxy.', () =>
      one(stats().residentMemory),
    ),
    gauge('ringproxy_heap_bytes', 'Used heap of all processes of the proxy.', () => one(stats().heapUsed)),
    // Under the names that every program has, for dashboards that know no others. A scrape is of the whole proxy, so
    // they are sums over its processes; the parts are ringproxy_worker_….
    counter('process_cpu_seconds_total', 'Same as ringproxy_cpu_seconds_total: the sum of all processes.', () =>
      one(stats().cpuSeconds),
    ),
    gauge('process_resident_memory_bytes', 'Same as ringproxy_resident_memory_bytes: the sum of all processes.', () =>
      one(stats().residentMemory),
    ),
    gauge('process_start_time_seconds', 'When the proxy was started, in seconds since 1970.', () =>
      one(identity.startedAt / 1000),
    ),
    gauge('ringproxy_uptime_seconds', 'Time since the start.', () => one((Date.now() - identity.startedAt) / 1000)),
    counter(
      'ringproxy_admin_refused_total',
      'Calls of the admin API that were refused for who it was that called, by the code of the error.',
      () => [...reads.refused()].map(([code, value]) => ({ labels: { code }, value })),
    ),
    gauge('ringproxy_build_info', '1, with the version.', () => [
      { labels: { version: identity.version, node: process.version }, value: 1 },
    ]),
  ];
}

/** Each process by itself: `1`, `2`, … serve clients; with several workers `primary` holds the ring and this API. */
function workerSources({ stats }: MetricReads): MetricSource[] {
  const source = (
    kind: typeof counter,
    name: string,
    help: string,
    read: (figures: ProcessFigures) => number,
  ): MetricSource =>
    kind(`ringproxy_worker_${name}`, help, () =>
      stats().processes.map((figures) => ({ labels: { worker: figures.worker }, value: read(figures) })),
    );
  return [
    source(counter, 'cpu_seconds_total', 'Processor time of a process, user and system.', (row) => row.cpuSeconds),
    source(gauge, 'resident_memory_bytes', 'Resident memory of a process.', (row) => row.residentMemory),
    source(gauge, 'heap_bytes', 'Used heap of a process.', (row) => row.heapUsed),
    source(
      gauge,
      'event_loop_lag_seconds',
      'By how much the event loop of a process was late on average in the last second.',
      (row) => row.loopLag,
    ),
    source(gauge, 'client_connections', 'Clients that are connected to a process.', (row) => row.clients),
  ];
}
