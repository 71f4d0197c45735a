/** The figures of now. */
import type { LoadView, StatsView } from '../api.js';
import { byId, setFacts } from './dom.js';
import { formatBytes, formatCount, formatPercent, formatRate, formatSeconds } from './format.js';

const main = byId('figures', HTMLElement);
const rest = byId('figures-rest', HTMLElement);

/** @param load of the last second; null before the first one is over */
export function showFigures(stats: StatsView, load: LoadView | null): void {
  const reads = load === null ? 0 : load.hitsPerSecond + load.missesPerSecond;
  setFacts(main, [
    ['commands a second', load === null ? '–' : formatRate(load.commandsPerSecond), 'rate'],
    ['p99: 99 of 100 commands are faster', formatSeconds(load?.p99 ?? null), 'p99'],
    ['errors a second', load === null ? '–' : formatRate(load.errorsPerSecond), 'error-rate'],
    [
      'hit ratio: reads that found their key',
      load === null || reads === 0 ? '–' : formatPercent(load.hitsPerSecond / reads),
      'hit-ratio',
    ],
  ]);
  main.children[2]?.classList.toggle('bad', load !== null && load.errorsPerSecond > 0);
  setFacts(rest, [
    ['p50: half are faster', formatSeconds(load?.p50 ?? null), 'p50'],
    ['clients connected', formatCount(stats.clients), 'clients'],
    ['commands held by a change', formatCount(load?.heldClients ?? 0), 'held'],
    ['event loop is late by', formatSeconds(stats.eventLoopLagSeconds), 'lag'],
    ['memory of the proxy', formatBytes(stats.residentMemory), 'memory'],
    ['commands since the start', formatCount(stats.commands), 'commands'],
    ['errors since the start', formatCount(stats.errors), 'errors'],
    ['up for', formatSeconds(stats.uptimeSeconds), 'uptime'],
  ]);
}
