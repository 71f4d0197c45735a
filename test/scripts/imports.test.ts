/** The import rules (`npm run imports`), each with files that break it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/root.js';
import { tempFolder } from '../support/temp-folder.js';
import { againstArchitecture } from './imports/architecture.mjs';
import { againstRatchet, type Checked, checkImports, ruleNames } from './imports/check.mjs';
import { EVERYTHING, PARTS, PROXY_ORDER, type Row } from './imports/table.mjs';

type Tree = Readonly<Record<string, string>>;

/** Checks a tree of these files. */
function check(tree: Tree): Promise<Checked> {
  const folder = tempFolder('imports');
  const files = { 'package.json': '{"type":"module","devDependencies":{"tool":"1.0.0"}}', ...tree };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return checkImports(folder);
}

/** An import from one file of a tree to another one. */
function importOf(from: string, to: string, kind: 'value' | 'type', name = 'x'): string {
  const path = relative(dirname(from), to).replace(/\.ts$/, '.js');
  const specifier = path.startsWith('.') ? path : `./${path}`;
  return `${kind === 'type' ? 'import type' : 'import'} { ${name} } from '${specifier}';\n`;
}

/** What breaks the rules of these names, each once. */
const breachesOf = ({ faults }: Checked, rules: RegExp) =>
  [...new Set(faults.filter(({ rule }) => rules.test(rule)).map(({ text }) => text))].sort();

const faultsOf = ({ faults }: Checked) => faults.map(({ rule, text }) => `${rule}: ${text}`);

describe('src/ARCHITECTURE.md', () => {
  const text = readFileSync(join(ROOT, 'src/ARCHITECTURE.md'), 'utf8');

  it('has the tables', () => {
    expect(againstArchitecture(text)).toEqual([]);
  });

  it.each([
    ['a row more', '| `ring` |', '| `extra` | | nothing of the others |\n| `ring` |'],
    ['a row less', /\| `ring` \|.*\n/, ''],
    ['another import', '| `resp` |\n', '| `resp`, `ring` |\n'],
    ['another order', '`upstream` → ', ''],
  ])('is found with %s', (_name, before, after) => {
    expect(againstArchitecture(text.replace(before, after))).not.toEqual([]);
  });
});

describe('the parts of src', () => {
  const parts = PARTS.flatMap((row) => row.parts.map((part) => ({ part, row })));
  /** A file of a part that is imported, and files of it that import. */
  const path = (part: string, name: string) => join('src', part.endsWith('.ts') ? part : `${part}/${name}.ts`);
  const mayImport = (row: Row, part: string, kind: 'value' | 'type') =>
    row.mayImport === EVERYTHING ||
    [...row.mayImport, ...(kind === 'type' ? (row.types ?? []) : [])].some(
      (allowed) => part === allowed || part.startsWith(`${allowed}/`),
    );

  it.each(['value', 'type'] as const)('import (%s) what the table allows and nothing else', async (kind) => {
    // `cli` and `compose` are no parts of src: nobody may import them, which is a rule of its own.
    const targets = [...new Set([...parts.map(({ part }) => part), ...PARTS.flatMap(allowedOf)])].filter(
      (target) => !target.startsWith('../'),
    );
    const tree: Record<string, string> = {};
    const meant: string[] = [];
    for (const target of targets) tree[path(target, 'target')] = 'export const x = 1;\n';
    for (const { part, row } of parts) {
      const from = path(part, 'importer');
      const others = targets.filter((target) => partOf(target) !== part);
      const imports = others.map((target, index) => importOf(from, path(target, 'target'), kind, `x as x${index}`));
      tree[from] = (tree[from] ?? '') + imports.join('');
      const forbidden = others.filter((target) => !mayImport(row, target, kind));
      meant.push(...forbidden.map((target) => `${from} → ${path(target, 'target')}`));
    }
    expect(breachesOf(await check(tree), /^(part|inside|types only): /)).toEqual([...new Set(meant)].sort());
  });

  /** The part that holds what another row may import: `proxy` has `proxy/io`. */
  function partOf(target: string): string {
    const holders = parts.map(({ part }) => part).filter((part) => target === part || target.startsWith(`${part}/`));
    return holders.sort((a, b) => b.length - a.length)[0] ?? target;
  }

  function allowedOf({ mayImport, types = [] }: Row): string[] {
    return [...(mayImport === EVERYTHING ? [] : mayImport), ...types];
  }
});

describe('the order of the data plane', () => {
  it('lets a file import of its own step and of those below it', async () => {
    const path = (part: string, name: string) =>
      join(
        'src/proxy',
        part.endsWith('.ts') ? part : part === 'features' ? `features/pubsub/${name}.ts` : `${part}/${name}.ts`,
      );
    const tree: Record<string, string> = {};
    const meant: string[] = [];
    PROXY_ORDER.forEach((step, at) => {
      for (const part of step) {
        const from = path(part, 'importer');
        PROXY_ORDER.forEach((other, otherAt) => {
          for (const target of other.filter((candidate) => candidate !== part)) {
            tree[path(target, 'target')] ??= 'export const x = 1;\n';
            tree[from] = (tree[from] ?? '') + importOf(from, path(target, 'target'), 'type', `x as x${otherAt}`);
            if (otherAt > at) meant.push(`${from} → ${path(target, 'target')}`);
          }
        });
      }
    });
    const checked = await check(tree);
    expect(breachesOf(checked, /^proxy order: /)).toEqual(meant.sort());
    expect(checked.figures.backArrows).toBe(meant.length);
  });

  it('keeps features apart from each other', async () => {
    const tree: Tree = {
      'src/proxy/features/pubsub/a.ts': "import type { x } from '../tracking/a.js';\nimport { y } from './b.js';\n",
      'src/proxy/features/pubsub/b.ts': "import type { y } from '../context.js';\nexport const y = 1;\n",
      'src/proxy/features/tracking/a.ts': 'export const x = 1;\n',
      'src/proxy/features/context.ts': 'export const y = 1;\n',
      'src/proxy/features/index.ts': "import { x } from './tracking/a.js';\nimport { y } from './pubsub/a.js';\n",
    };
    const checked = await check(tree);
    const meant = ['src/proxy/features/pubsub/a.ts → src/proxy/features/tracking/a.ts'];
    expect(breachesOf(checked, /^features-stand-side-by-side$/)).toEqual(meant);
    expect(checked.figures.arrowsBetweenFeatures).toBe(1);
  });
});

describe('circles', () => {
  const CIRCLES = /^no-circles-of-values$/;

  /** dependency-cruiser keeps the first cycle of an import, here that of types. */
  it('of values are found behind those of types', async () => {
    const checked = await check({
      'src/ring/a.ts': "import { b } from './b.js';\nexport type A = 1;\n",
      'src/ring/b.ts': "import type { A } from './a.js';\nimport { c } from './c.js';\nexport const b = c;\n",
      'src/ring/c.ts': "import { a } from './d.js';\nexport const c = 1;\n",
      'src/ring/d.ts': "import { b } from './b.js';\nexport const a = 1;\n",
    });
    expect(breachesOf(checked, CIRCLES)).toEqual(['src/ring/b.ts, src/ring/c.ts, src/ring/d.ts']);
    expect(checked.ratchet.largestCircle).toBe(4);
  });

  it('of types are counted, and are none of values', async () => {
    const checked = await check({
      'src/proxy/io/a.ts': "import { b } from './b.js';\nexport type A = 1;\n",
      'src/proxy/io/b.ts': "import type { A } from './a.js';\nexport const b = 1;\n",
      'src/ring/a.ts': 'export const a = 1;\n',
    });
    expect(breachesOf(checked, CIRCLES)).toEqual([]);
    expect(checked.ratchet).toEqual({ largestCircle: 2, largestCircleOfProxy: 2 });
  });

  it('are found in tests, too', async () => {
    const { figures } = await check({
      'test/a.ts': "import { b } from './b.js';\nexport const a = 1;\n",
      'test/b.ts': "import { a } from './a.js';\nexport const b = 1;\n",
    });
    expect(figures.valueCircles).toBe(1);
  });
});

describe('the other rules', () => {
  const breaches: Readonly<Record<string, { tree: Tree; text: string }>> = {
    'every-file-has-a-part': {
      tree: { 'src/extra/a.ts': "import '../ring/a.js';\n", 'src/ring/a.ts': '' },
      text: 'src/extra/a.ts',
    },
    'every-file-of-the-data-plane-has-a-step': {
      tree: { 'src/proxy/extra/a.ts': "import '../io/a.js';\n", 'src/proxy/io/a.ts': '' },
      text: 'src/proxy/extra/a.ts',
    },
    'pure-parts-do-no-io': { tree: { 'src/ring/a.ts': "import 'node:fs';\n" }, text: 'src/ring/a.ts → fs' },
    'program-imports-no-tests': {
      tree: { 'src/serve.ts': "import '../test/a.js';\n", 'test/a.ts': '' },
      text: 'src/serve.ts → test/a.ts',
    },
    'src-imports-no-cli': {
      tree: { 'src/serve.ts': "import '../cli/a.js';\n", 'cli/a.ts': '' },
      text: 'src/serve.ts → cli/a.ts',
    },
    'load-is-a-user': {
      tree: { 'compose/load/a.ts': "import '../../test/a.js';\n", 'test/a.ts': '' },
      text: 'compose/load/a.ts → test/a.ts',
    },
    'program-needs-no-dev-dependencies': {
      tree: {
        'src/serve.ts': "import 'tool';\n",
        'node_modules/tool/package.json': '{"name":"tool","version":"1.0.0","main":"index.js"}',
        'node_modules/tool/index.js': '',
      },
      text: 'src/serve.ts → node_modules/tool/index.js',
    },
    'no-orphans': { tree: { 'src/ring/a.ts': 'export const a = 1;\n' }, text: 'src/ring/a.ts' },
    'no-unresolvable': { tree: { 'src/ring/a.ts': "import './b.js';\n" }, text: 'src/ring/a.ts → ./b.js' },
  };

  it.each(Object.keys(breaches))('%s', async (rule) => {
    const { tree, text } = breaches[rule] ?? { tree: {}, text: '' };
    expect(faultsOf(await check(tree))).toContain(`${rule}: ${text}`);
  });

  it('are each broken by a test', () => {
    const byTable = /^(part|inside|types only|proxy order): |^features-stand-side-by-side$|^no-circles-of-values$/;
    const others = ruleNames().filter((name) => !byTable.test(name));
    expect(others.sort()).toEqual(Object.keys(breaches).sort());
  });
});

describe('the ratchet', () => {
  it.each([
    ['is content with what is recorded', 5, []],
    ['refuses more', 6, ['circle is 6, and was 5: it only goes down (npm run imports -- --list)']],
    [
      'wants less to be recorded',
      4,
      ['circle is 4, better than the recorded 5: record it (npm run imports -- --lower)'],
    ],
  ] as const)('%s', (_name, circle, messages) => {
    expect(againstRatchet({ circle }, { circle: 5 })).toEqual(messages);
  });
});
