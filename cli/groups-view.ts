/** Groups of keys as people read them: all of them in a table. */
import type { GroupCountsView, GroupsView, GroupView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { type FitColumn, fitColumns } from './fit-table.js';
import { formatBytes, formatCount, formatCounted, formatName, formatPercent, wrap } from './format.js';

const NONE = '-';
/** Of the lines that stand below a group's row, where there is no room for them in it. */
const INDENT = '    ';

/** Keys of no group have no prefixes, and are cached in no other way. */
type Row = Partial<Omit<GroupView, keyof GroupCountsView>> & GroupCountsView;

/** A proxy of an earlier version does not say how often it has served. */
type Near = Omit<NonNullable<GroupView['near']>, 'hitRatio'> & { readonly hitRatio?: number | null };

const NAMED: readonly FitColumn<Row>[] = [
  { title: 'GROUP', cell: ({ group }) => (group === undefined ? 'other' : formatName(group)) },
  { title: 'TYPE', cell: ({ policy }) => colored(policy?.cache ?? 'sharded') },
];

/** What is told in words: below each row, where the table would be too wide. */
const WORDS: readonly FitColumn<Row>[] = [
  { title: 'PREFIXES', cell: ({ prefixes }) => (prefixes === undefined ? NONE : prefixesOf(prefixes)) },
  { title: 'POLICY', cell: ({ policy = {} }) => policyOf(policy) },
];

const COUNTS: readonly FitColumn<Row>[] = [
  { title: 'COMMANDS/S', isNumber: true, cell: ({ commandsPerSecond }) => rateOf(commandsPerSecond) },
  { title: 'COMMANDS', isNumber: true, leftOut: 3, cell: ({ commands }) => formatCount(commands) },
  { title: 'ERRORS', isNumber: true, leftOut: 1, cell: ({ errors }) => formatCount(errors) },
  { title: 'HITS', isNumber: true, leftOut: 4, cell: ({ hits }) => formatCount(hits) },
  { title: 'MISSES', isNumber: true, leftOut: 2, cell: ({ misses }) => formatCount(misses) },
  { title: 'HIT RATIO', isNumber: true, cell: ({ hitRatio }) => shareOf(hitRatio) },
  { title: 'SPARED', isNumber: true, cell: ({ fillShare = null }) => shareOf(fillShare) },
];

const KEPT: FitColumn<Row> = { title: 'IN PROXIES', cell: keptOf };

/** @param width columns of the terminal; undefined: it goes elsewhere, or is to be as wide as it is */
export function describeGroups(view: GroupsView, width?: number): string {
  const { groups, other } = view;
  const head = headOf(view);
  if (groups.length === 0) return `${head}\n\nthere are no groups: ringproxy groups set NAME --prefix PREFIX`;
  const rows: readonly Row[] = other === null ? groups : [...groups, other];
  // Where nobody waits for a miss, nothing is said of it.
  const counts = COUNTS.filter(({ title }) => title !== 'SPARED' || groups.some(({ fill }) => fill !== null));
  const layOut = (beside: readonly FitColumn<Row>[], below: readonly FitColumn<Row>[]) => ({
    ...fitColumns([...NAMED, ...beside], rows, width),
    below,
  });
  // Rather in words below than left out.
  const isWhole = ({ leftOut }: { readonly leftOut: readonly string[] }): boolean => leftOut.length === 0;
  const { table, leftOut, below } =
    [layOut([...WORDS, ...counts, KEPT], []), layOut([...counts, KEPT], WORDS)].find(isWhole) ??
    layOut(counts, [...WORDS, KEPT]);
  const [titles = '', ...lines] = table.split('\n');
  const body = lines.flatMap((line, at) => [line, ...wordsBelow(rows[at], below, width)]);
  const rest = isWhole({ leftOut }) ? [] : ['', ...wrap(`no room for ${leftOut.join(', ')}: ${MORE}`, width ?? 80)];
  return [head, '', titles, ...body, ...rest].join('\n');
}

const MORE = 'ringproxy groups ls --wide shows all columns, ringproxy groups NAME all of one group';

/** From where they are, and what is missing. */
export function headOf({ source, changed, missing }: GroupsView): string {
  const where = source === 'ring' ? 'for all proxies of the ring' : "of this proxy's configuration";
  return [
    `groups ${where}${changed === null ? '' : `; changed at proxy ${changed.by}, ${changed.at}`}`,
    ...missing.map(({ proxy, why }) => colors.red(`counted without proxy ${proxy}: ${why}`)),
  ].join('\n');
}

export function prefixesOf(prefixes: readonly string[]): string {
  return prefixes.map(formatName).join(' ');
}

export function policyOf(policy: Readonly<Record<string, string>>): string {
  const words = Object.entries(policy).filter(([word]) => word !== 'cache');
  return words.length === 0 ? NONE : words.map(([word, value]) => `${word}=${value}`).join(' ');
}

/** What is kept in the proxies themselves, and how often that has served; or how often replicas have. */
export function keptOf({ near = null, replicated = null, replicaReads = null, replicaShare = null }: Row): string {
  if (replicaReads !== null) return replicaShare === null ? NONE : `replicas answered ${formatPercent(replicaShare)}`;
  if (replicated !== null) return `${formatCounted(replicated.keys, 'key')}, ${formatBytes(replicated.bytes)}`;
  if (near === null) return NONE;
  const { entries, bytes, hitRatio = null }: Near = near;
  const served = hitRatio === null ? '' : `, served ${formatPercent(hitRatio)}`;
  return `${formatCounted(entries, 'reply', 'replies')}, ${formatBytes(bytes)}${served}`;
}

/** @param type of a policy */
export function colored(type: string): string {
  return type === 'sharded' ? type : colors.green(type);
}

function wordsBelow(row: Row | undefined, columns: readonly FitColumn<Row>[], width = 80): string[] {
  const words = row === undefined ? [] : columns.map(({ cell }) => cell(row)).filter((text) => text !== NONE);
  return words.length === 0 ? [] : wrap(words.join('; '), width - INDENT.length).map((line) => `${INDENT}${line}`);
}

function rateOf(rate: number | null): string {
  return rate === null ? NONE : formatCount(Math.round(rate));
}

function shareOf(share: number | null): string {
  return share === null ? NONE : formatPercent(share);
}
