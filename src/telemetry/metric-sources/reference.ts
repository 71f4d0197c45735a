import { emptyPlaneStats } from '../../proxy/measure/plane-stats.js';
import { metricSources } from './index.js';

/** @returns the table of all metrics, in Markdown */
export function metricReference(): string {
  // Only what is declared counts: nothing is read.
  const sources = metricSources({
    identity: { proxyId: '', version: '', startedAt: 0 },
    stats: emptyPlaneStats,
    ring: () => {
      throw new Error('a declaration has no ring');
    },
    movedKeys: () => [],
    bytesMoved: () => 0,
    strays: () => [],
  });
  const rows = sources.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  return ['| metric | type | what it tells |', '|---|---|---|', ...rows].join('\n');
}
