/** The figures of now. */
import type { LoadView, StatsView } from '../api.js';
import { byId, setFacts } from './dom.js';
import { formatBytes, formatCount, formatPercent, formatRate, formatSeconds } from './format.js';

const list = byId('figures', HTMLElement);

/** @param load of the last second; null before the first one is over */
export function showFigures(stats: StatsView, load: LoadView | null): void {
  const reads = load === null ? 0 : load.hitsPerSecond + load.missesPerSecond;
  setFacts(list, [
    ['Commands/s', load === null ? '–' : formatRate(load.commandsPerSecond), 'rate'],
    ['Latency p50', formatSeconds(load?.p50 ?? null), 'p50'],
    ['Latency p99', formatSeconds(load?.p99 ?? null), 'p99'],
    ['Hit ratio', load === null || reads === 0 ? '–' : formatPercent(load.hitsPerSecond / reads), 'hit-ratio'],
    ['Errors/s', load === null ? '–' : formatRate(load.errorsPerSecond), 'error-rate'],
    ['Clients', formatCount(stats.clients), 'clients'],
    ['Held commands', formatCount(load?.heldClients ?? 0), 'held'],
    ['Event loop late', formatSeconds(stats.eventLoopLagSeconds), 'lag'],
    ['Proxy memory', formatBytes(stats.residentMemory), 'memory'],
    ['Commands so far', formatCount(stats.commands), 'commands'],
    ['Errors so far', formatCount(stats.errors), 'errors'],
    ['Up for', formatSeconds(stats.uptimeSeconds), 'uptime'],
  ]);
}
