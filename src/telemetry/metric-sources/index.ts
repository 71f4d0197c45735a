/** Every metric of the proxy. The names are part of the public contract. */
import type { MetricSource } from '../metrics.js';
import { clientSources } from './clients.js';
import { commandSources } from './commands.js';
import { fleetSources } from './fleet.js';
import { hotKeySources } from './hot-keys.js';
import { keyGroupSources } from './key-groups.js';
import { nearSources } from './near.js';
import { nodeServerSources } from './node-servers.js';
import { nodeSources } from './nodes.js';
import { processSources } from './processes.js';
import type { MetricReads } from './reads.js';
import { replicatedSources } from './replicated.js';
import { ringSources } from './ring.js';
import { tlsSources } from './tls.js';

export type { MetricReads } from './reads.js';

export function metricSources(reads: MetricReads): MetricSource[] {
  return [
    ...commandSources(reads),
    ...clientSources(reads),
    ...tlsSources(reads),
    ...nodeSources(reads),
    ...nodeServerSources(reads),
    ...keyGroupSources(reads),
    ...nearSources(reads),
    ...hotKeySources(reads),
    ...replicatedSources(reads),
    ...ringSources(reads),
    ...fleetSources(reads),
    ...processSources(reads),
  ];
}
