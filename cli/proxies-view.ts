/** The proxies of a ring as people read them, no wider than the terminal. */
import type { ProxyView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { type FitColumn, fitTable } from './fit-table.js';
import { formatCount } from './format.js';

// A proxy of an earlier version does not say everything.
const COLUMNS: readonly FitColumn<ProxyView>[] = [
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
  return fitTable(COLUMNS, proxies, width);
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
