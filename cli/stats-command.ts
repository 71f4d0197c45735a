import type { Command } from 'commander';
import type { StatsView } from '../src/admin/api.js';
import { AdminClient } from '../src/client/admin-client.js';
import { colors } from './colors.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatName,
  formatPercent,
  formatSeconds,
  formatTable,
  numbers,
} from './format.js';

/** `ringproxy stats` */
export function registerStatsCommand(program: Command): void {
  withCommonOptions(program.command('stats').description('counters and latencies since the start')).action(
    async (options: CommonOptions) => {
      const stats = await new AdminClient(options).stats();
      process.stdout.write(`${options.json === true ? JSON.stringify(stats, null, 2) : describeStats(stats)}\n`);
    },
  );
}

export function describeStats(stats: StatsView): string {
  const reads = stats.hits + stats.misses;
  const summary = [
    `proxy ${stats.proxy}, version ${stats.version}, up ${formatDuration(stats.uptimeSeconds)}, generation ${stats.generation}`,
    `clients    ${formatCount(stats.clients)} (${formatCount(stats.clientsTotal)} so far, ${formatCount(stats.clientsRejected)} turned away)`,
    `commands   ${formatCount(stats.commands)}, ${formatCounted(stats.errors, 'error')}`,
    `cache      ${formatCount(stats.hits)} hits, ${formatCount(stats.misses)} misses${reads === 0 ? '' : ` (${formatPercent(stats.hits / reads)} hits)`}`,
    `traffic    ${formatBytes(stats.bytesIn)} in, ${formatBytes(stats.bytesOut)} out`,
    `process    ${formatBytes(stats.residentMemory)} resident, event loop late by ${formatSeconds(stats.eventLoopLagSeconds)}`,
  ];
  const nodes = formatTable(
    ['NODE', 'ADDRESS', 'UP', ...['COMMANDS', 'ERRORS', 'IN FLIGHT', 'CONNECTIONS', 'P50', 'P99'].map(numbers)],
    stats.nodeStats.map((node) => [
      formatName(node.node),
      node.address,
      node.up ? 'yes' : colors.red('no'),
      formatCount(node.commands),
      formatCount(node.errors),
      formatCount(node.inflight),
      formatCount(node.connections),
      formatSeconds(node.p50),
      formatSeconds(node.p99),
    ]),
  );
  const commands = formatTable(
    ['COMMAND', ...['CALLS', 'ERRORS', 'P50', 'P99'].map(numbers)],
    stats.commandStats.map((row) => [
      row.command,
      formatCount(row.calls),
      formatCount(row.errors),
      formatSeconds(row.p50),
      formatSeconds(row.p99),
    ]),
  );
  const groups = formatTable(
    ['KEY GROUP', ...['COMMANDS', 'ERRORS', 'HITS', 'MISSES', 'HIT RATIO', 'P50', 'P99'].map(numbers)],
    // A proxy of an earlier version has none.
    (stats.keyGroups ?? []).map((row) => [
      row.group,
      formatCount(row.commands),
      formatCount(row.errors),
      formatCount(row.hits),
      formatCount(row.misses),
      row.hits + row.misses === 0 ? '-' : formatPercent(row.hits / (row.hits + row.misses)),
      formatSeconds(row.p50),
      formatSeconds(row.p99),
    ]),
  );
  const grouped = (stats.keyGroups ?? []).length > 0;
  return [...summary, '', nodes, '', commands, ...(grouped ? ['', groups] : [])].join('\n');
}
