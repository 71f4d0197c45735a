/** Makes what `/v1/stats` shows, and what INFO says of the proxy, of what the data plane counted. */
import type {
  CommandStats,
  CoordinationView,
  KeyGroupStats,
  NodeStats,
  ProxyView,
  StatsView,
  WorkerView,
} from '../admin/api.js';
import type { ProxyIdentity } from '../identity.js';
import { type HistogramData, quantileOf } from '../proxy/measure/histogram.js';
import type { PlaneStats } from '../proxy/measure/plane-stats.js';

export interface StatsContext {
  readonly identity: ProxyIdentity;
  readonly workers: readonly WorkerView[];
  /** Of the ring. */
  readonly generation: number;
}

export function statsView(stats: PlaneStats, { identity, workers, generation }: StatsContext): StatsView {
  const commandStats = stats.commands
    .map(({ command, calls, errors, time }): CommandStats => ({ command, calls, errors, ...quantiles(time) }))
    .sort((a, b) => b.calls - a.calls);
  return {
    proxy: identity.proxyId,
    version: identity.version,
    uptimeSeconds: (Date.now() - identity.startedAt) / 1000,
    generation,
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
    nodeStats: stats.nodes.map(({ time, ...node }): NodeStats => ({ ...node, ...quantiles(time) })),
    keyGroups: stats.groups.map(
      ({ group, calls, errors, hits, misses, time }): KeyGroupStats => ({
        group,
        commands: calls,
        errors,
        hits,
        misses,
        ...quantiles(time),
      }),
    ),
  };
}

/** @returns the lines of INFO's section on the proxy */
export function infoLines(stats: StatsView): string[] {
  return [
    `ringproxy_version:${stats.version}`,
    `ringproxy_id:${stats.proxy}`,
    `ringproxy_uptime_in_seconds:${Math.floor(stats.uptimeSeconds)}`,
    `ringproxy_generation:${stats.generation}`,
    `ringproxy_nodes:${stats.nodeStats.length}`,
    `ringproxy_nodes_up:${stats.nodeStats.filter((node) => node.up).length}`,
    `ringproxy_clients:${stats.clients}`,
    `ringproxy_commands:${stats.commands}`,
    `ringproxy_errors:${stats.errors}`,
    `ringproxy_hits:${stats.hits}`,
    `ringproxy_misses:${stats.misses}`,
  ];
}

/** @returns the lines of that section on the fleet, or none where the proxy is alone with its ring */
export function fleetLines(proxies: readonly ProxyView[], coordination: CoordinationView): string[] {
  if (coordination.kind === 'none') return [];
  const { consistency, reachable, leaseSeconds, proxy } = coordination;
  const own = proxies.find(({ id }) => id === proxy);
  const members = proxies.map(({ id, admin, alive, fencedOff, generation, phase, coordinator, load }) => [
    `id=${id}`,
    `state=${fencedOff ? 'fenced' : alive ? 'alive' : 'away'}`,
    `admin=${admin}`,
    `generation=${generation}`,
    `phase=${phase}`,
    `coordinator=${coordinator ? 1 : 0}`,
    `clients=${load?.clients ?? ''}`,
    `ops_per_sec=${load === null ? '' : Math.round(load.commandsPerSecond)}`,
  ]);
  return [
    `ringproxy_members:${proxies.length}`,
    `ringproxy_members_alive:${proxies.filter(({ alive, fencedOff }) => alive && !fencedOff).length}`,
    `ringproxy_coordinator:${proxies.find(({ coordinator }) => coordinator)?.id ?? ''}`,
    `ringproxy_is_coordinator:${own?.coordinator === true ? 1 : 0}`,
    `ringproxy_jobs:${own?.jobs.join(',') ?? ''}`,
    `ringproxy_consistency:${consistency}`,
    `ringproxy_etcd_status:${reachable ? 'up' : 'down'}`,
    ...(leaseSeconds === null ? [] : [`ringproxy_lease_seconds:${Math.floor(leaseSeconds)}`]),
    // As a master lists its replicas.
    ...members.map((fields, index) => `ringproxy_member${index}:${fields.join(',')}`),
  ];
}

/** Seconds; null where nothing was measured. */
function quantiles(time: HistogramData): { p50: number | null; p99: number | null } {
  return { p50: quantileOf(time, 0.5), p99: quantileOf(time, 0.99) };
}
