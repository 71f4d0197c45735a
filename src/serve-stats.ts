/** Makes what the admin API and Prometheus show of what the data plane counted. */
import type {
  ArcsView,
  CommandStats,
  KeyGroupStats,
  NodeStats,
  NodeStrays,
  NodeView,
  RingView,
  StatsView,
  WorkerView,
} from './admin/api.js';
import { RingproxyError } from './errors.js';
import { BUCKET_COUNT, bucketUpperBound, type HistogramData, quantileOf } from './proxy/measure/histogram.js';
import { emptyPlaneStats, type NodeCounts, type PlaneStats, type ProcessFigures } from './proxy/measure/plane-stats.js';
import type { RoutingSnapshot } from './proxy/snapshot.js';
import { ringArcs } from './ring/arcs.js';
import { type HistogramSample, type MetricSource, Metrics, type Sample } from './telemetry/metrics.js';

export interface StatsIdentity {
  readonly proxyId: string;
  readonly version: string;
  readonly startedAt: number;
  generation(): number;
  ring(): RingView;
  movedKeys(): Iterable<{ readonly source: string; readonly target: string; readonly keys: number }>;
  strays(): readonly NodeStrays[];
  bytesMoved(): number;
}

/** Bounds of the exposed histograms in seconds; the fine buckets are summed up to them. */
const BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** How many of the fine buckets are below each of these bounds. */
const FINE_ENDS = BOUNDS.map((bound) => {
  let end = 0;
  while (end < BUCKET_COUNT && bucketUpperBound(end) <= bound) end++;
  return end;
});

export function describeStats(stats: PlaneStats, workers: readonly WorkerView[], identity: StatsIdentity): StatsView {
  const commandStats = stats.commands
    .map(
      (row): CommandStats => ({
        command: row.command,
        calls: row.calls,
        errors: row.errors,
        p50: quantileOf(row.time, 0.5),
        p99: quantileOf(row.time, 0.99),
      }),
    )
    .sort((a, b) => b.calls - a.calls);
  return {
    proxy: identity.proxyId,
    version: identity.version,
    uptimeSeconds: (Date.now() - identity.startedAt) / 1000,
    generation: identity.generation(),
    clients: stats.clients,
    clientsTotal: stats.clientsTotal,
    clientsRejected: stats.clientsRejected,
    commands: commandStats.reduce((sum, row) => sum + row.calls, 0),
    errors: commandStats.reduce((sum, row) => sum + row.errors, 0),
    hits: stats.hits,
    misses: stats.misses,
    bytesIn: stats.bytesIn,
    bytesOut: stats.bytesOut,
    residentMemory: stats.residentMemory,
    eventLoopLagSeconds: stats.loopLag,
    workers: [...workers],
    commandStats,
    nodeStats: stats.nodes.map(
      ({ time, ...node }): NodeStats => ({
        ...node,
        p50: quantileOf(time, 0.5),
        p99: quantileOf(time, 0.99),
      }),
    ),
    keyGroups: stats.groups.map(
      ({ group, calls, errors, hits, misses, time }): KeyGroupStats => ({
        group,
        commands: calls,
        errors,
        hits,
        misses,
        p50: quantileOf(time, 0.5),
        p99: quantileOf(time, 0.99),
      }),
    ),
  };
}

/** The ring that commands are routed by, to be drawn. @param limit most arcs @throws RingproxyError before there is one */
export function arcsView(snapshot: RoutingSnapshot | null, limit: number): ArcsView {
  if (snapshot === null) {
    throw new RingproxyError('NOT_READY', 'the ring is not known yet');
  }
  const { exact, arcs } = ringArcs(snapshot.ring, snapshot.nextRing, limit);
  return {
    generation: snapshot.generation,
    phase: snapshot.phase,
    points: snapshot.ring.owners.length,
    exact,
    nodes: snapshot.nodes.map(({ name, id }) => ({ name, id })),
    arcs: arcs.map(({ from, to, owner, next }) => [from, to, owner, next]),
  };
}

/** What is served at `/metrics`: one view of all processes of the data plane. */
export class ProxyMetrics {
  readonly #metrics: Metrics;
  #stats: PlaneStats = emptyPlaneStats();
  #ring: RingView | null = null;
  /** Settles when the last scrape that was asked for is made. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(identity: StatsIdentity) {
    this.#metrics = new Metrics(
      metricSources(
        () => this.#stats,
        () => this.#ring ?? identity.ring(),
        identity,
      ),
    );
  }

  /** @returns what a scrape gets; scrapes at the same time are made one behind the other */
  read(
    readStats: () => Promise<PlaneStats>,
    readRing: () => RingView,
  ): Promise<{ readonly contentType: string; readonly text: string }> {
    const scrape = this.#last.then(async () => {
      this.#stats = await readStats();
      this.#ring = readRing();
      return { contentType: this.#metrics.contentType, text: await this.#metrics.text() };
    });
    this.#last = scrape.catch(() => {});
    return scrape;
  }
}

/** The names are part of the public contract. */
function metricSources(stats: () => PlaneStats, ring: () => RingView, identity: StatsIdentity): MetricSource[] {
  const one = (value: number): Sample[] => [{ labels: {}, value }];
  // While a node is replaced, two servers have its name, and a series may have one sample only. Counters are those of
  // the newer one: a sum would fall when the older one leaves, and count again what the newer one had counted.
  const newestNodes = (): NodeCounts[] => [...new Map(stats().nodes.map((node) => [node.node, node])).values()];
  const nodeCounter = (read: (node: NodeCounts) => number): Sample[] =>
    newestNodes().map((node) => ({ labels: { node: node.node }, value: read(node) }));
  const nodeGauge = (read: (node: NodeCounts) => number, join = add): Sample[] =>
    joinedByName(
      stats().nodes.map((node) => [node.node, read(node)]),
      join,
    );
  const ringNodes = (read: (node: NodeView) => number | null): Sample[] =>
    joinedByName(
      ring().nodes.flatMap((node) => {
        const value = read(node);
        return value === null ? [] : [[node.name, value]];
      }),
      add,
    );
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
      stats().commands.flatMap((row) => outcomes({ command: row.command }, row.calls, row.errors)),
    ),
    {
      name: 'ringproxy_command_duration_seconds',
      help: 'Time from a whole command to its whole reply.',
      type: 'histogram',
      read: () => exposedOf(stats().commands, (row) => ({ command: row.command })),
    },
    counter('ringproxy_errors_total', 'Error replies to clients, by the word that they begin with.', () =>
      [...stats().errorKinds].map(([kind, value]) => ({ labels: { kind }, value })),
    ),
    gauge('ringproxy_client_pending_commands', 'Commands of all clients that are not answered (queue length).', () =>
      one(stats().pendingCommands),
    ),
    gauge('ringproxy_client_pending_bytes', 'Bytes of replies that clients have not taken yet.', () =>
      one(stats().pendingBytes),
    ),
    gauge('ringproxy_client_connections', 'Clients that are connected.', () => one(stats().clients)),
    counter('ringproxy_client_connections_total', 'Clients that ever connected.', () => one(stats().clientsTotal)),
    counter('ringproxy_client_rejected_total', 'Clients turned away at max-clients, or by protected-mode.', () =>
      one(stats().clientsRejected),
    ),
    counter('ringproxy_client_bytes_total', 'Bytes from (in) and to (out) clients.', () => [
      { labels: { direction: 'in' }, value: stats().bytesIn },
      { labels: { direction: 'out' }, value: stats().bytesOut },
    ]),
    counter('ringproxy_node_commands_total', 'Commands answered by each node.', () =>
      newestNodes().flatMap((node) => outcomes({ node: node.node }, node.commands, node.errors)),
    ),
    {
      name: 'ringproxy_node_duration_seconds',
      help: 'Time until a node answered.',
      type: 'histogram',
      read: () => exposedOf(newestNodes(), ({ node }) => ({ node })),
    },
    gauge('ringproxy_node_inflight', 'Commands that wait for a node (queue length).', () =>
      nodeGauge((node) => node.inflight),
    ),
    gauge('ringproxy_node_up', '1 when the node can be reached, otherwise 0.', () =>
      nodeGauge((node) => (node.up ? 1 : 0), Math.min),
    ),
    gauge('ringproxy_node_connections', 'Connections to a node.', () => nodeGauge((node) => node.connections)),
    counter('ringproxy_node_timeouts_total', 'Requests that a node did not answer in time.', () =>
      nodeCounter((node) => node.timeouts),
    ),
    counter('ringproxy_node_reconnects_total', 'Connections to a node that were lost.', () =>
      nodeCounter((node) => node.reconnects),
    ),
    counter('ringproxy_node_bytes_total', 'Bytes from (in) and to (out) nodes.', () =>
      newestNodes().flatMap((node) => [
        { labels: { node: node.node, direction: 'in' }, value: node.bytesIn },
        { labels: { node: node.node, direction: 'out' }, value: node.bytesOut },
      ]),
    ),
    counter('ringproxy_cache_requests_total', 'Reads that found their key (hit) or not (miss).', () => [
      { labels: { result: 'hit' }, value: stats().hits },
      { labels: { result: 'miss' }, value: stats().misses },
    ]),
    counter('ringproxy_key_group_commands_total', 'Commands on keys of each group of key-groups, by outcome.', () =>
      stats().groups.flatMap((row) => outcomes({ group: row.group }, row.calls, row.errors)),
    ),
    {
      name: 'ringproxy_key_group_duration_seconds',
      help: 'Time from a whole command to its whole reply, by the group of its first key.',
      type: 'histogram',
      read: () => exposedOf(stats().groups, ({ group }) => ({ group })),
    },
    counter(
      'ringproxy_key_group_cache_requests_total',
      'Reads that found their key (hit) or not (miss), by the group of the key.',
      () =>
        stats().groups.flatMap(({ group, hits, misses }) => [
          { labels: { group, result: 'hit' }, value: hits },
          { labels: { group, result: 'miss' }, value: misses },
        ]),
    ),
    gauge('ringproxy_ring_generation', 'Generation of the ring.', () => one(identity.generation())),
    gauge('ringproxy_ring_share', 'Part of the hash space that a node owns.', () => ringNodes((node) => node.share)),
    gauge('ringproxy_node_keys', 'Keys on a node in all databases, as of the last probe.', () =>
      ringNodes((node) => node.keys),
    ),
    gauge('ringproxy_node_memory_bytes', 'Memory that a node uses, as of the last probe.', () =>
      ringNodes((node) => node.usedMemory),
    ),
    gauge(
      'ringproxy_stray_keys',
      'Keys on a node that it does not own, as of the last look at all of them (ring check).',
      () =>
        identity
          .strays()
          .flatMap(({ node, checkedAt, strays }) => (checkedAt === null ? [] : [{ labels: { node }, value: strays }])),
    ),
    gauge('ringproxy_ring_phase', '1 for the phase that the ring is in.', () =>
      (['stable', 'preparing', 'moving'] as const).map((phase) => ({
        labels: { phase },
        value: ring().phase === phase ? 1 : 0,
      })),
    ),
    gauge('ringproxy_held_commands', 'Clients whose next command waits for the ring.', () => one(stats().heldClients)),
    counter('ringproxy_rebalance_keys_moved_total', 'Keys that were moved, by source and target.', () =>
      [...identity.movedKeys()].map(({ source, target, keys }) => ({ labels: { source, target }, value: keys })),
    ),
    counter('ringproxy_rebalance_bytes_moved_total', 'Bytes that were moved, estimated.', () =>
      one(identity.bytesMoved()),
    ),
    gauge('ringproxy_rebalance_progress_ratio', 'How far the running change is, 0 to 1; 1 when there is none.', () =>
      one((ring().change?.percent ?? 100) / 100),
    ),
    gauge('ringproxy_rebalance_paused', '1 while the running change is paused.', () =>
      one(ring().change?.paused === true ? 1 : 0),
    ),
    gauge('ringproxy_rebalance_failing', '1 while the running change cannot go on; ring status says why.', () =>
      one((ring().change?.error ?? null) === null ? 0 : 1),
    ),
    ...workerSources(stats),
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
    gauge('ringproxy_build_info', '1, with the version.', () => [
      { labels: { version: identity.version, node: process.version }, value: 1 },
    ]),
  ];
}

/** Each process by itself: `1`, `2`, … serve clients; with several workers `primary` holds the ring and this API. */
function workerSources(stats: () => PlaneStats): MetricSource[] {
  const source = (
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    read: (figures: ProcessFigures) => number,
  ): MetricSource => ({
    name: `ringproxy_worker_${name}`,
    help,
    type,
    read: () => stats().processes.map((figures) => ({ labels: { worker: figures.worker }, value: read(figures) })),
  });
  return [
    source('counter', 'cpu_seconds_total', 'Processor time of a process, user and system.', (row) => row.cpuSeconds),
    source('gauge', 'resident_memory_bytes', 'Resident memory of a process.', (row) => row.residentMemory),
    source('gauge', 'heap_bytes', 'Used heap of a process.', (row) => row.heapUsed),
    source(
      'gauge',
      'event_loop_lag_seconds',
      'By how much the event loop of a process was late on average in the last second.',
      (row) => row.loopLag,
    ),
    source('gauge', 'client_connections', 'Clients that are connected to a process.', (row) => row.clients),
  ];
}

const add = (a: number, b: number): number => a + b;

/** @returns one sample a name, of the values of that name joined */
function joinedByName(values: (readonly [string, number])[], join: (a: number, b: number) => number): Sample[] {
  const joined = new Map<string, number>();
  for (const [name, value] of values) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : join(before, value));
  }
  return [...joined].map(([node, value]) => ({ labels: { node }, value }));
}

/** One by one as they are asked for, since a scrape is made in pieces. */
function* exposedOf<Row extends { readonly time: HistogramData }>(
  rows: readonly Row[],
  labelsOf: (row: Row) => Record<string, string>,
): Generator<HistogramSample> {
  for (const row of rows) yield exposed(row.time, labelsOf(row));
}

function exposed(histogram: HistogramData, labels: Record<string, string>): HistogramSample {
  const buckets: { bound: number; count: number }[] = [];
  let fine = 0;
  let count = 0;
  for (const [index, bound] of BOUNDS.entries()) {
    const end = FINE_ENDS[index] ?? 0;
    while (fine < end) count += histogram.counts[fine++] ?? 0;
    buckets.push({ bound, count });
  }
  return { labels, buckets, sum: histogram.sum, count: histogram.count };
}
