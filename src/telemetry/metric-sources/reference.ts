import { emptyPlaneStats } from '../../proxy/measure/plane-stats.js';
import { metricSources } from './index.js';

/** @returns the table of all metrics, in Markdown */
export function metricReference(): string {
  // Only what is declared counts: nothing is read.
  const nothing = (): never => {
    throw new Error('a declaration reads nothing');
  };
  const sources = metricSources({
    identity: { proxyId: '', version: '', startedAt: 0 },
    stats: emptyPlaneStats,
    ring: nothing,
    hotKeys: nothing,
    fleet: nothing,
    fences: nothing,
    etcd: nothing,
    softState: nothing,
    values: nothing,
    movedKeys: () => [],
    bytesMoved: () => 0,
    strays: () => [],
    refused: () => new Map(),
    ejections: () => new Map(),
    tls: nothing,
  });
  const rows = sources.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  return ['| metric | type | what it tells |', '|---|---|---|', ...rows].join('\n');
}
