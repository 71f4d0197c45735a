/** Groups of keys as people read them. */
import type { GroupCountsView, GroupsView, GroupView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { type FitColumn, fitTable } from './fit-table.js';
import { formatBytes, formatCount, formatCounted, formatName, formatPercent } from './format.js';

const NONE = '-';

/** Keys of no group have no prefixes, and are cached in no other way. */
type Row = Partial<Omit<GroupView, keyof GroupCountsView>> & GroupCountsView;

/** A proxy of an earlier version does not say how often it has served. */
type Near = Omit<NonNullable<GroupView['near']>, 'hitRatio'> & { readonly hitRatio?: number | null };

const COLUMNS: readonly FitColumn<Row>[] = [
  { title: 'GROUP', cell: ({ group }) => group ?? 'other' },
  { title: 'TYPE', cell: ({ policy }) => colored(policy?.cache ?? 'sharded') },
  { title: 'PREFIXES', leftOut: 4, cell: ({ prefixes }) => prefixes?.map(formatName).join(' ') ?? NONE },
  { title: 'POLICY', leftOut: 2, cell: policyOf },
  {
    title: 'COMMANDS/S',
    isNumber: true,
    cell: ({ commandsPerSecond: rate }) => (rate === null ? NONE : formatCount(Math.round(rate))),
  },
  { title: 'COMMANDS', isNumber: true, leftOut: 5, cell: ({ commands }) => formatCount(commands) },
  { title: 'ERRORS', isNumber: true, leftOut: 1, cell: ({ errors }) => formatCount(errors) },
  { title: 'HITS', isNumber: true, leftOut: 6, cell: ({ hits }) => formatCount(hits) },
  { title: 'MISSES', isNumber: true, leftOut: 3, cell: ({ misses }) => formatCount(misses) },
  { title: 'HIT RATIO', isNumber: true, cell: ({ hitRatio }) => (hitRatio === null ? NONE : formatPercent(hitRatio)) },
  { title: 'IN PROXIES', cell: keptOf },
];

/** @param width columns of the terminal; undefined: it goes elsewhere, where nothing is left out */
export function describeGroups(view: GroupsView, width?: number): string {
  const { groups, other, missing } = view;
  const head = [
    sourceOf(view),
    ...missing.map(({ proxy, why }) => colors.red(`counted without proxy ${proxy}: ${why}`)),
  ].join('\n');
  if (groups.length === 0) return `${head}\n\nthere are no groups: ringproxy groups set NAME --prefix PREFIX`;
  return `${head}\n\n${fitTable(COLUMNS, other === null ? groups : [...groups, other], width)}`;
}

function sourceOf({ source, changed }: GroupsView): string {
  const where = source === 'ring' ? 'for all proxies of the ring' : "of this proxy's configuration";
  return `groups ${where}${changed === null ? '' : `; changed at proxy ${changed.by}, ${changed.at}`}`;
}

function policyOf({ policy = {} }: Row): string {
  const words = Object.entries(policy).filter(([word]) => word !== 'cache');
  return words.length === 0 ? NONE : words.map(([word, value]) => `${word}=${value}`).join(' ');
}

/** What is kept in the proxies themselves, and how often that has served; or how often replicas have. */
function keptOf({ near = null, replicated = null, replicaReads = null, replicaShare = null }: Row): string {
  if (replicaReads !== null) return replicaShare === null ? NONE : `replicas answered ${formatPercent(replicaShare)}`;
  if (replicated !== null) return `${formatCounted(replicated.keys, 'key')}, ${formatBytes(replicated.bytes)}`;
  if (near === null) return NONE;
  const { entries, bytes, hitRatio = null }: Near = near;
  const served = hitRatio === null ? '' : `, served ${formatPercent(hitRatio)}`;
  return `${formatCounted(entries, 'reply', 'replies')}, ${formatBytes(bytes)}${served}`;
}

function colored(type: string): string {
  return type === 'sharded' ? type : colors.green(type);
}
