/** Groups of keys as people read them. */
import type { GroupCountsView, GroupsView, GroupView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { formatBytes, formatCount, formatCounted, formatName, formatPercent, formatTable, numbers } from './format.js';

export function describeGroups(view: GroupsView): string {
  const { groups, other, missing } = view;
  const head = [
    sourceOf(view),
    ...missing.map(({ proxy, why }) => colors.red(`counted without proxy ${proxy}: ${why}`)),
  ].join('\n');
  if (groups.length === 0) return `${head}\n\nthere are no groups: ringproxy groups set NAME --prefix PREFIX`;
  const rows = groups.map((group) => [
    group.group,
    colored(group.policy.cache ?? ''),
    group.prefixes.map(formatName).join(' '),
    policyOf(group),
    ...figures(group),
    keptOf(group),
  ]);
  if (other !== null) rows.push(['other', colored('sharded'), '-', '-', ...figures(other), '-']);
  const table = formatTable(
    [
      ...['GROUP', 'TYPE', 'PREFIXES', 'POLICY'],
      ...['COMMANDS/S', 'COMMANDS', 'ERRORS', 'HITS', 'MISSES', 'HIT RATIO'].map(numbers),
      'IN THE PROXIES',
    ],
    rows,
  );
  return `${head}\n\n${table}`;
}

function sourceOf({ source, changed }: GroupsView): string {
  const where = source === 'ring' ? 'for all proxies of the ring' : "of this proxy's configuration";
  return `groups ${where}${changed === null ? '' : `; changed at proxy ${changed.by}, ${changed.at}`}`;
}

function policyOf({ policy }: GroupView): string {
  const words = Object.entries(policy).filter(([word]) => word !== 'cache');
  return words.length === 0 ? '-' : words.map(([word, value]) => `${word}=${value}`).join(' ');
}

/** What is kept in the proxies themselves, and how often that has served; or how often replicas have. */
function keptOf({ near, replicated, replicaReads }: GroupView): string {
  if (replicaReads) return byReplicas(replicaReads);
  if (replicated !== null) return `${formatCounted(replicated.keys, 'key')}, ${formatBytes(replicated.bytes)}`;
  if (near === null) return '-';
  const { entries, bytes, hits, misses } = near;
  const served = hits + misses === 0 ? '' : `, served ${formatPercent(hits / (hits + misses))}`;
  return `${formatCount(entries)}, ${formatBytes(bytes)}${served}`;
}

function byReplicas(reads: Readonly<Record<string, number>>): string {
  const { replica = 0, again = 0, ...others } = reads;
  // What was asked again is counted as sent to a replica as well.
  const all = Object.values(others).reduce((sum, count) => sum + count, replica);
  return all === 0 ? '-' : `replicas answered ${formatPercent((replica - again) / all)} of reads`;
}

function figures({ commandsPerSecond, commands, errors, hits, misses, hitRatio }: GroupCountsView): string[] {
  return [
    commandsPerSecond === null ? '-' : formatCount(Math.round(commandsPerSecond)),
    ...[commands, errors, hits, misses].map(formatCount),
    hitRatio === null ? '-' : formatPercent(hitRatio),
  ];
}

function colored(type: string): string {
  return type === 'sharded' ? type : colors.green(type);
}
