/** The proxies of a ring as people read them, no wider than the terminal. */
import type { ProxyView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { formatCount, formatTable, numbers, widthOf } from './format.js';

interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
  /** Left out where there is no room, the greatest first; missing: never. */
  readonly leftOut?: number;
  cell(proxy: ProxyView): string;
}

// A proxy of an earlier version does not say everything.
const COLUMNS: readonly Column[] = [
  { title: 'PROXY', cell: ({ id }) => id },
  { title: 'ADMIN', leftOut: 2, cell: ({ admin }) => (admin === '' ? '-' : admin) },
  { title: 'ALIVE', cell: formatAlive },
  { title: 'GENERATION', isNumber: true, leftOut: 4, cell: ({ generation }) => String(generation) },
  { title: 'WORKERS', isNumber: true, leftOut: 5, cell: ({ workers }) => String(workers) },
  { title: 'VERSION', leftOut: 3, cell: ({ version }) => version },
  { title: 'CLIENTS', isNumber: true, leftOut: 7, cell: ({ load }) => formatCount(load?.clients ?? null) },
  { title: 'COMMANDS/S', isNumber: true, leftOut: 6, cell: ({ load }) => formatRate(load?.commandsPerSecond) },
  { title: 'JOBS', leftOut: 1, cell: ({ coordinator, jobs }) => formatJobs(coordinator, jobs) },
];

/** @param width columns of the terminal; undefined: it goes elsewhere, where nothing is left out */
export function describeProxies(proxies: readonly ProxyView[], width: number | undefined): string {
  let columns = COLUMNS;
  for (;;) {
    const table = formatTable(
      columns.map(({ title, isNumber }) => (isNumber === true ? numbers(title) : title)),
      proxies.map((proxy) => columns.map(({ cell }) => cell(proxy))),
    );
    if (width === undefined || table.split('\n').every((line) => widthOf(line) <= width)) return table;
    const least = Math.max(...columns.map(({ leftOut }) => leftOut ?? 0));
    if (least === 0) return table;
    columns = columns.filter(({ leftOut }) => leftOut !== least);
  }
}

function formatAlive({ alive, fencedOff }: ProxyView): string {
  if (fencedOff) return colors.red('fenced off');
  return alive ? 'yes' : colors.red('no');
}

function formatRate(rate: number | undefined): string {
  return rate === undefined ? '-' : formatCount(Math.round(rate));
}

/** Sources that one moves are named once: `mover: a, b`. */
function formatJobs(coordinator: boolean | undefined, jobs: readonly string[] | undefined): string {
  const byKind = new Map<string, string[]>();
  for (const job of jobs ?? []) {
    const [kind = '', ...of] = job.split('/');
    byKind.set(kind, [...(byKind.get(kind) ?? []), of.join('/')]);
  }
  const texts = [...byKind].map(([kind, of]) => (of.join('') === '' ? kind : `${kind}: ${of.join(', ')}`));
  return [...(coordinator === true ? ['coordinator'] : []), ...texts].join('; ') || '-';
}
