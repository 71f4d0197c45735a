// The import rule, as a table. The rules that `npm run imports` checks are made from it, and src/ARCHITECTURE.md's
// table of folders says the same (test/scripts/imports.test.ts): a folder more, or an import more, is one row here
// and the same row there.

/** What a row may import when it puts all parts together. */
export const EVERYTHING = 'everything';

/**
 * Which parts of `src` each part may import, besides itself. A part is a folder or a file of `src` (`proxy/io`,
 * `errors.ts`), or a folder beside it (`../cli`). Of two parts that hold a file, the longer one counts: what `admin`
 * may import says nothing of `admin/page`. `types` are parts of which only types may be imported.
 */
export const PARTS = [
  { parts: ['resp'], mayImport: [] },
  { parts: ['node'], mayImport: ['resp', 'time', 'tls'] },
  { parts: ['ring'], mayImport: ['node/identity.ts', 'resp/words.ts'] },
  { parts: ['commands'], mayImport: ['resp'] },
  { parts: ['time'], mayImport: [] },
  { parts: ['tls'], mayImport: ['time', 'errors.ts', 'regular-file.ts'] },
  {
    parts: ['proxy'],
    mayImport: [
      ...['resp', 'node', 'ring', 'commands', 'time', 'tls/material.ts', 'tls/shown-certificate.ts'],
      ...['fleet/crdt', 'fleet/values'],
    ],
  },
  {
    parts: ['config'],
    mayImport: [
      'node',
      'ring',
      'commands',
      'tls',
      'proxy/settings.ts',
      'proxy/settings',
      'proxy/caching',
      'errors.ts',
      'regular-file.ts',
    ],
  },
  {
    parts: ['topology'],
    mayImport: [
      'topology/state',
      'topology/store',
      'fleet/jobs',
      'node',
      'ring',
      'config',
      'rebalance',
      'time',
      'node-rights.ts',
      'errors.ts',
      'counted.ts',
    ],
    types: ['admin/api.ts', 'health', 'proxy'],
  },
  { parts: ['topology/state'], mayImport: ['node', 'ring', 'config', 'errors.ts'] },
  {
    parts: ['topology/store'],
    mayImport: ['topology/state', 'ring', 'etcd', 'time', 'errors.ts', 'set-aside.ts'],
    types: ['admin/api.ts'],
  },
  { parts: ['etcd'], mayImport: ['time', 'errors.ts'] },
  { parts: ['fleet/jobs'], mayImport: ['topology/state', 'time'], types: ['topology/store'] },
  { parts: ['rebalance'], mayImport: ['resp', 'node', 'ring', 'health', 'proxy', 'time', 'errors.ts'] },
  { parts: ['failover'], mayImport: ['resp', 'node', 'time', 'errors.ts'] },
  { parts: ['health'], mayImport: ['resp', 'node', 'config', 'node-rights.ts', 'errors.ts'], types: ['ring'] },
  {
    parts: ['telemetry'],
    mayImport: ['node/identity.ts', 'proxy/measure', 'ring', 'errors.ts'],
    types: ['admin/api.ts', 'identity.ts', 'tls'],
  },
  { parts: ['fleet/crdt'], mayImport: [] },
  { parts: ['fleet/values'], mayImport: ['fleet/crdt', 'resp'] },
  { parts: ['fleet/soft-state'], mayImport: ['fleet/crdt', 'time'], types: ['admin/api.ts', 'proxy'] },
  { parts: ['fleet/value-exchange'], mayImport: ['fleet/values', 'time'] },
  { parts: ['fleet/value-snapshot'], mayImport: ['fleet/values', 'fleet/crdt', 'time', 'set-aside.ts'] },
  { parts: ['fleet/peers'], mayImport: ['topology/store', 'time', 'errors.ts'] },
  {
    parts: ['admin'],
    mayImport: [
      ...['node', 'config', 'time', 'tls/material.ts', 'tls/shown-certificate.ts'],
      ...['fleet/peers/protocol.ts', 'errors.ts', 'version.ts'],
    ],
  },
  { parts: ['admin/page'], mayImport: [], types: ['admin/api.ts'] },
  { parts: ['client'], mayImport: ['errors.ts'], types: ['admin/api.ts'] },
  {
    parts: ['plane'],
    mayImport: ['proxy', 'fleet/values', 'rebalance', 'node', 'ring', 'commands', 'telemetry', 'time'],
    types: ['admin/api.ts', 'topology', 'tls'],
  },
  { parts: ['identity.ts'], mayImport: ['version.ts'] },
  { parts: ['serve.ts', 'serve'], mayImport: EVERYTHING },
  {
    parts: ['library'],
    mayImport: ['client', 'config', 'ring', 'serve.ts', 'telemetry/subscribers.ts', 'errors.ts'],
    types: ['admin/api.ts'],
  },
  {
    parts: ['node-rights.ts', 'errors.ts', 'counted.ts', 'set-aside.ts', 'regular-file.ts', 'version.ts'],
    mayImport: [],
  },
  { parts: ['../compose'], mayImport: [] },
  {
    parts: ['../cli'],
    mayImport: [
      'client',
      'config',
      'health/verdict.ts',
      'node/address.ts',
      'node/followed.ts',
      'node/tls-by-files.ts',
      'serve.ts',
      'errors.ts',
      'version.ts',
    ],
    types: ['admin/api.ts', 'node/endpoint.ts'],
  },
];

/**
 * The order of the data plane's parts, the lowest first: a file imports of its own step and of those below it. Each
 * file of `src/proxy` stands in one of these parts; of two that hold it, the longer one counts.
 */
export const PROXY_ORDER = [
  [
    'io',
    'request',
    'measure',
    'caching',
    'peers',
    'events.ts',
    'options.ts',
    'settings.ts',
    'settings',
    'snapshot.ts',
    'key-moves.ts',
    'users',
  ],
  ['upstream'],
  ['invalidations'],
  ['session'],
  ['route'],
  ['features'],
  // Composition.
  ['features/compose.ts', 'features/answer-peer.ts', 'dispatcher.ts', 'data-plane.ts'],
];

/** @returns what src/ARCHITECTURE.md says in the column "may import" */
export function mayImportText({ mayImport, types = [] }) {
  if (mayImport === EVERYTHING) return 'everything';
  const list = (parts) => parts.map((part) => `\`${part}\``).join(', ');
  const texts = [];
  if (mayImport.length > 0) texts.push(list(mayImport));
  if (types.length > 0) texts.push(`types of ${list(types)}`);
  return texts.length === 0 ? 'nothing of the others' : texts.join('; ');
}

/** @returns what src/ARCHITECTURE.md says of the order inside of `proxy`, the highest first */
export function proxyOrderText() {
  return [...PROXY_ORDER]
    .reverse()
    .map((step) => step.map((part) => `\`${part}\``).join(', '))
    .join(' → ');
}
