/** Reads the data plane's counters for the admin API and for Prometheus. */
import { getHeapStatistics } from 'node:v8';
import type { CommandStats, NodeStats, RingView, StatsView } from './admin/api.js';
import type { DataPlane } from './proxy/data-plane.js';
import { BUCKET_COUNT, bucketUpperBound, type Histogram } from './proxy/measure/histogram.js';
import type { HistogramSample, MetricSource, Sample } from './telemetry/metrics.js';

export interface StatsIdentity {
  readonly proxyId: string;
  readonly version: string;
  readonly startedAt: number;
  /** Seconds by which the event loop was late on average in the last second. */
  loopLag(): number;
  ring(): RingView;
  movedKeys(): Iterable<{ readonly source: string; readonly target: string; readonly keys: number }>;
  bytesMoved(): number;
}

/** Bounds of the exposed histograms in seconds; the fine buckets are summed up to them. */
const BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export function readStats(plane: DataPlane, identity: StatsIdentity): StatsView {
  const { counters } = plane;
  const commandStats = [...commandRows(plane)].sort((a, b) => b.calls - a.calls);
  return {
    proxy: identity.proxyId,
    version: identity.version,
    uptimeSeconds: (Date.now() - identity.startedAt) / 1000,
    generation: plane.snapshot?.generation ?? 0,
    clients: plane.clients.size,
    clientsTotal: counters.clientsTotal,
    clientsRejected: counters.clientsRejected,
    commands: commandStats.reduce((sum, row) => sum + row.calls, 0),
    errors: commandStats.reduce((sum, row) => sum + row.errors, 0),
    hits: counters.hits,
    misses: counters.misses,
    bytesIn: counters.bytesIn,
    bytesOut: counters.bytesOut,
    residentMemory: process.memoryUsage.rss(),
    eventLoopLagSeconds: identity.loopLag(),
    commandStats,
    nodeStats: [...plane.nodes].map(
      (node): NodeStats => ({
        node: node.name,
        address: node.address,
        up: node.up,
        commands: node.counters.commands,
        errors: node.counters.errors,
        timeouts: node.counters.timeouts,
        reconnects: node.counters.reconnects,
        inflight: node.inflight,
        connections: node.connections,
        bytesIn: node.counters.bytesIn,
        bytesOut: node.counters.bytesOut,
        p50: node.counters.time.quantile(0.5),
        p99: node.counters.time.quantile(0.99),
      }),
    ),
  };
}

function* commandRows(plane: DataPlane): Generator<CommandStats> {
  const { counters } = plane;
  for (const [id, name] of commandNames(plane)) {
    const calls = counters.calls[id] ?? 0;
    if (calls === 0) continue;
    const time = counters.time[id];
    yield {
      command: name,
      calls,
      errors: counters.errors[id] ?? 0,
      p50: time?.quantile(0.5) ?? null,
      p99: time?.quantile(0.99) ?? null,
    };
  }
}

function* commandNames(plane: DataPlane): Generator<readonly [number, string]> {
  yield [0, 'unknown'];
  for (const row of plane.table.rows()) yield [row.id, row.name];
}

/** What is served at `/metrics`; the names are part of the public contract. */
export function metricSources(plane: DataPlane, identity: StatsIdentity): MetricSource[] {
  const { counters } = plane;
  const one = (value: number): Sample[] => [{ labels: {}, value }];
  const perNode = (read: (node: NodeStats) => number): Sample[] =>
    readStats(plane, identity).nodeStats.map((node) => ({ labels: { node: node.node }, value: read(node) }));
  const outcomes = (labels: Record<string, string>, calls: number, errors: number): Sample[] => [
    { labels: { ...labels, outcome: 'ok' }, value: calls - errors },
    { labels: { ...labels, outcome: 'error' }, value: errors },
  ];
  const counter = (name: string, help: string, read: () => Sample[]): MetricSource => ({
    name,
    help,
    type: 'counter',
    read,
  });
  const gauge = (name: string, help: string, read: () => Sample[]): MetricSource => ({
    name,
    help,
    type: 'gauge',
    read,
  });
  return [
    counter('ringproxy_commands_total', 'Commands answered, by command and outcome.', () =>
      [...commandRows(plane)].flatMap((row) => outcomes({ command: row.command }, row.calls, row.errors)),
    ),
    {
      name: 'ringproxy_command_duration_seconds',
      help: 'Time from a whole command to its whole reply.',
      type: 'histogram',
      read: () =>
        [...commandNames(plane)].flatMap(([id, name]) => {
          const time = counters.time[id];
          return time === undefined ? [] : [exposed(time, { command: name })];
        }),
    },
    gauge('ringproxy_client_connections', 'Clients that are connected.', () => one(plane.clients.size)),
    counter('ringproxy_client_connections_total', 'Clients that ever connected.', () => one(counters.clientsTotal)),
    counter('ringproxy_client_rejected_total', 'Clients turned away at max-clients.', () =>
      one(counters.clientsRejected),
    ),
    counter('ringproxy_client_bytes_total', 'Bytes from (in) and to (out) clients.', () => [
      { labels: { direction: 'in' }, value: counters.bytesIn },
      { labels: { direction: 'out' }, value: counters.bytesOut },
    ]),
    counter('ringproxy_node_commands_total', 'Commands answered by each node.', () =>
      readStats(plane, identity).nodeStats.flatMap((node) => outcomes({ node: node.node }, node.commands, node.errors)),
    ),
    {
      name: 'ringproxy_node_duration_seconds',
      help: 'Time until a node answered.',
      type: 'histogram',
      read: () => [...plane.nodes].map((node) => exposed(node.counters.time, { node: node.name })),
    },
    gauge('ringproxy_node_inflight', 'Commands that wait for a node (queue length).', () =>
      perNode((node) => node.inflight),
    ),
    gauge('ringproxy_node_up', '1 when the node can be reached, otherwise 0.', () =>
      perNode((node) => (node.up ? 1 : 0)),
    ),
    gauge('ringproxy_node_connections', 'Connections to a node.', () => perNode((node) => node.connections)),
    counter('ringproxy_node_timeouts_total', 'Requests that a node did not answer in time.', () =>
      perNode((node) => node.timeouts),
    ),
    counter('ringproxy_node_reconnects_total', 'Connections to a node that were lost.', () =>
      perNode((node) => node.reconnects),
    ),
    counter('ringproxy_node_bytes_total', 'Bytes from (in) and to (out) nodes.', () =>
      readStats(plane, identity).nodeStats.flatMap((node) => [
        { labels: { node: node.node, direction: 'in' }, value: node.bytesIn },
        { labels: { node: node.node, direction: 'out' }, value: node.bytesOut },
      ]),
    ),
    counter('ringproxy_cache_requests_total', 'Reads that found their key (hit) or not (miss).', () => [
      { labels: { result: 'hit' }, value: counters.hits },
      { labels: { result: 'miss' }, value: counters.misses },
    ]),
    gauge('ringproxy_ring_generation', 'Generation of the ring.', () => one(plane.snapshot?.generation ?? 0)),
    gauge('ringproxy_ring_share', 'Part of the hash space that a node owns.', () =>
      identity.ring().nodes.map((node) => ({ labels: { node: node.name }, value: node.share })),
    ),
    gauge('ringproxy_ring_phase', '1 for the phase that the ring is in.', () =>
      (['stable', 'preparing', 'moving'] as const).map((phase) => ({
        labels: { phase },
        value: plane.snapshot?.phase === phase ? 1 : 0,
      })),
    ),
    gauge('ringproxy_held_commands', 'Clients whose next command waits for the ring.', () => one(plane.heldClients)),
    counter('ringproxy_rebalance_keys_moved_total', 'Keys that were moved, by source and target.', () =>
      [...identity.movedKeys()].map(({ source, target, keys }) => ({ labels: { source, target }, value: keys })),
    ),
    counter('ringproxy_rebalance_bytes_moved_total', 'Bytes that were moved, estimated.', () =>
      one(identity.bytesMoved()),
    ),
    gauge('ringproxy_rebalance_progress_ratio', 'How far the running change is, 0 to 1; 1 when there is none.', () =>
      one((identity.ring().change?.percent ?? 100) / 100),
    ),
    gauge('ringproxy_event_loop_lag_seconds', 'By how much the event loop was late.', () => one(identity.loopLag())),
    gauge('ringproxy_resident_memory_bytes', 'Resident memory of the process.', () => one(process.memoryUsage.rss())),
    gauge('ringproxy_heap_bytes', 'Used heap of the process.', () => one(getHeapStatistics().used_heap_size)),
    gauge('ringproxy_uptime_seconds', 'Time since the start.', () => one((Date.now() - identity.startedAt) / 1000)),
    gauge('ringproxy_build_info', '1, with the version.', () => [
      { labels: { version: identity.version, node: process.version }, value: 1 },
    ]),
  ];
}

function exposed(histogram: Histogram, labels: Record<string, string>): HistogramSample {
  const buckets: { bound: number; count: number }[] = [];
  let fine = 0;
  let count = 0;
  for (const bound of BOUNDS) {
    while (fine < BUCKET_COUNT && bucketUpperBound(fine) <= bound) count += histogram.counts[fine++] ?? 0;
    buckets.push({ bound, count });
  }
  return { labels, buckets, sum: histogram.sum, count: histogram.count };
}
