// The rules for dependency-cruiser: those that follow from the tables, and the others.
import { EVERYTHING, PARTS, PROXY_ORDER } from './table.mjs';

/** Edges that are gone when the program runs. */
export const TYPE_EDGES = ['type-only', 'type-import'];

const literally = (text) => text.replace(/[.\\/]/g, '\\$&');

/** A pattern for the files of a part, given from `base`: a folder, or one file. */
function filesOf(part, base) {
  const path = part.startsWith('../') ? part.slice(3) : `${base}/${part}`;
  return `^${literally(path)}${/\.\w+$/.test(part) ? '$' : '/'}`;
}

/** Patterns for the files of parts that lie inside of `part`: what is said of it is not said of them. */
const inside = (part, parts, base) =>
  parts.filter((other) => other.startsWith(`${part}/`)).map((other) => filesOf(other, base));

const ALL_PARTS = PARTS.flatMap(({ parts }) => parts);
const PROXY_PARTS = PROXY_ORDER.flat();

const matches = (file, parts, base) => parts.some((part) => new RegExp(filesOf(part, base)).test(file));

/** Whether a file has its row in the table of parts. */
export const hasPart = (file) => !file.startsWith('src/') || matches(file, ALL_PARTS, 'src');

/** Whether a file of the data plane has its place in the order of folders. */
export const hasStep = (file) => !file.startsWith('src/proxy/') || matches(file, PROXY_PARTS, 'src/proxy');

function partRules() {
  return PARTS.flatMap(({ parts, mayImport, types = [] }) => {
    if (mayImport === EVERYTHING) return [];
    return parts.flatMap((part) => {
      const from = { path: filesOf(part, 'src'), pathNot: inside(part, ALL_PARTS, 'src') };
      const allowed = [...mayImport, ...types].map((other) => filesOf(other, 'src'));
      const rules = [
        {
          name: `part: ${part}`,
          comment: `What ${part} may import stands in test/scripts/imports/table.mjs and src/ARCHITECTURE.md.`,
          severity: 'error',
          from,
          to: { path: '^src/', pathNot: [from.path, ...allowed] },
        },
      ];
      // The pattern of the part itself holds them, too.
      const apart = from.pathNot.filter((nested) => !allowed.includes(nested));
      if (apart.length > 0) {
        rules.push({ name: `inside: ${part}`, severity: 'error', from, to: { path: apart } });
      }
      if (types.length > 0) {
        rules.push({
          name: `types only: ${part}`,
          comment: `${part} may import types of these, nothing that runs.`,
          severity: 'error',
          from,
          to: {
            path: types.map((other) => filesOf(other, 'src')),
            pathNot: mayImport.map((other) => filesOf(other, 'src')),
            dependencyTypesNot: TYPE_EDGES,
          },
        });
      }
      return rules;
    });
  });
}

/** One rule for each step but the highest: nothing of it imports what stands higher. */
function orderRules() {
  const patterns = (parts) => parts.map((part) => filesOf(part, 'src/proxy'));
  const nested = (parts) =>
    parts.flatMap((part) => inside(part, PROXY_PARTS, 'src/proxy')).filter((file) => !patterns(parts).includes(file));
  return PROXY_ORDER.slice(0, -1).map((step, index) => {
    const above = PROXY_ORDER.slice(index + 1).flat();
    return {
      name: `proxy order: ${step[0]}`,
      comment: `The order of the data plane's folders stands in test/scripts/imports/table.mjs.`,
      severity: 'error',
      from: { path: patterns(step), pathNot: nested(step) },
      to: { path: patterns(above), pathNot: nested(above) },
    };
  });
}

/** Rules that are counted as well. */
export const isBackArrow = (rule) => rule.startsWith('proxy order: ');
export const BETWEEN_FEATURES = 'features-stand-side-by-side';

/** @returns the rules, as dependency-cruiser takes them */
export const rules = () => [
  ...partRules(),
  ...orderRules(),
  {
    name: BETWEEN_FEATURES,
    comment: 'A feature of the data plane imports no other one; they are composed in one file.',
    severity: 'error',
    from: { path: '^src/proxy/features/([^/]+)/' },
    to: { path: '^src/proxy/features/[^/]+/', pathNot: '^src/proxy/features/$1/' },
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
    name: 'program-imports-no-tests',
    severity: 'error',
    from: { path: '^(src|cli)/' },
    to: { path: '^(test|compose)/' },
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
    comment: 'What the page uses of packages is put into dist by the build, which is not part of it itself.',
    severity: 'error',
    from: { path: '^(src|cli)/', pathNot: ['^src/admin/page/vendor/', '^cli/bootstrap/bundle\\.mjs$'] },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: TYPE_EDGES },
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
        '\\.d\\.m?ts$',
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
];
