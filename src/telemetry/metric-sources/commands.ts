import type { MetricSource } from '../metrics.js';
import { durations } from './durations.js';
import type { MetricReads } from './reads.js';
import { counter, outcomes } from './samples.js';

/** What clients asked for. */
export function commandSources({ stats }: MetricReads): MetricSource[] {
  return [
    counter('ringproxy_commands_total', 'Commands answered, by command and outcome.', () =>
      stats().commands.flatMap((row) => outcomes({ command: row.command }, row.calls, row.errors)),
    ),
    durations(
      'ringproxy_command_duration_seconds',
      'Time from a whole command to its whole reply.',
      () => stats().commands,
      ({ command }) => ({ command }),
    ),
    counter('ringproxy_cross_node_commands_total', 'Commands whose keys are on several nodes, by what was done.', () =>
      stats().crossNode.map(({ command, way, time }) => ({ labels: { command, way }, value: time.count })),
    ),
    durations(
      'ringproxy_cross_node_duration_seconds',
      'Time from a whole command whose keys are on several nodes to its whole reply.',
      () => stats().crossNode,
      ({ command, way }) => ({ command, way }),
    ),
    counter('ringproxy_errors_total', 'Error replies to clients, by the word that they begin with.', () =>
      [...stats().errorKinds].map(([kind, value]) => ({ labels: { kind }, value })),
    ),
  ];
}
