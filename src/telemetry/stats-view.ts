/** Makes what `/v1/stats` shows, and what INFO says of the proxy, of what the data plane counted. */
import type { CommandStats, KeyGroupStats, NodeStats, StatsView, WorkerView } from '../admin/api.js';
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

/** Seconds; null where nothing was measured. */
function quantiles(time: HistogramData): { p50: number | null; p99: number | null } {
  return { p50: quantileOf(time, 0.5), p99: quantileOf(time, 0.99) };
}
