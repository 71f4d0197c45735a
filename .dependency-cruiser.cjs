/**
 * The import rule. The data plane (`proxy`) knows nothing of the control plane; they meet in
 * `src/proxy/snapshot.ts`. The pure parts know nobody. The composition root `src/serve.ts` knows all.
 */

/** Every folder of src but these. */
const srcExcept = (...folders) => `^src/(?!(?:${folders.join('|')})/)`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'resp-is-pure',
      comment: 'resp frames and encodes: it imports nothing of the others.',
      severity: 'error',
      from: { path: '^src/resp/' },
      to: { path: srcExcept('resp') },
    },
    {
      name: 'ring-is-pure',
      comment: 'ring is pure: of the others it may use resp, and what tells one node from another.',
      severity: 'error',
      from: { path: '^src/ring/' },
      to: { path: '^src/(?!(?:ring|resp)/|node/identity\\.ts$)' },
    },
    {
      name: 'node-knows-resp-only',
      comment: 'A node is what all others speak of: it knows none of them but resp.',
      severity: 'error',
      from: { path: '^src/node/' },
      to: { path: srcExcept('node', 'resp') },
    },
    {
      name: 'commands-are-pure',
      comment: 'the command table is pure: of the others it may use resp only.',
      severity: 'error',
      from: { path: '^src/commands/' },
      to: { path: srcExcept('commands', 'resp') },
    },
    {
      name: 'time-knows-nobody',
      comment: 'time is what passes: everybody may use it.',
      severity: 'error',
      from: { path: '^src/time/' },
      to: { path: srcExcept('time') },
    },
    {
      name: 'pure-parts-do-no-io',
      severity: 'error',
      from: { path: '^src/(resp|ring|commands)/' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(net|tls|dgram|http|https|http2|fs|child_process|cluster)(/|$)',
      },
    },
    {
      name: 'data-plane-knows-no-control-plane',
      comment: 'proxy gets a routing snapshot, and reports through event channels.',
      severity: 'error',
      from: { path: '^src/proxy/' },
      to: { path: srcExcept('proxy', 'resp', 'ring', 'commands', 'node', 'time') },
    },
    {
      name: 'cli-goes-through-the-admin-api',
      comment:
        'cli uses the types of the admin API, and addresses; for serve and config also the configuration, the composition root and its errors.',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^src/(?!(?:config/|node/address\\.ts$|serve\\.ts$|errors\\.ts$|version\\.ts$|admin/api\\.ts$))' },
    },
    {
      name: 'cli-takes-only-types-of-the-admin-api',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^src/admin/api\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'program-imports-no-tests',
      severity: 'error',
      from: { path: '^(src|cli)/' },
      to: { path: '^(test|compose)/' },
    },
    {
      name: 'page-runs-in-browsers',
      comment: 'The page has the types of the admin API, and nothing else of the proxy.',
      severity: 'error',
      from: { path: '^src/admin/page/' },
      to: { path: '^src/(?!admin/(?:page/|api\\.ts$))' },
    },
    {
      name: 'page-takes-only-types-of-the-admin-api',
      severity: 'error',
      from: { path: '^src/admin/page/' },
      to: { path: '^src/admin/api\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'src-imports-no-cli',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^cli/' },
    },
    {
      name: 'load-is-a-user',
      comment: 'The load generator of the Compose demo knows the proxy as any client does: by its protocol.',
      severity: 'error',
      from: { path: '^compose/load/' },
      to: { path: '^(src|cli|test)/' },
    },
    {
      name: 'program-needs-no-dev-dependencies',
      comment: 'What the page uses of packages is put into dist by the build.',
      severity: 'error',
      from: { path: '^(src|cli)/', pathNot: '^src/admin/page/vendor/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      comment: 'Types may refer to each other; modules that run may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '^cli/main\\.ts$',
          '^src/serve\\.ts$',
          '^test/.*\\.test\\.ts$',
          '^test/bench/',
          '^compose/load/main\\.ts$',
          '\\.d\\.ts$',
        ],
      },
      to: {},
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
