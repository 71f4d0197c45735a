// The types of what programs may import: for the modules that package.json's `exports` names, and what those name.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { root } from './project.mjs';

/** By what programs import them. */
export const ENTRIES = {
  ringproxy: 'src/library/proxy.ts',
  'ringproxy/admin': 'src/library/admin.ts',
  'ringproxy/ring': 'src/library/ring.ts',
};
const IMPORT = /^(?:import|export)\b[^;]*?\bfrom '([^']+)'|\bimport\('([^']+)'\)/gm;

/**
 * @param options.comments whether they stay
 * @returns `texts`: of each file that the entries' types need, and of no others, the `.d.ts`, made of its own text alone,
 *   so its exports say their types; `mistakes`, in words
 */
export function declarations({ comments }) {
  // Loaded when it is needed: it is large, and may have to be installed first.
  const ts = createRequire(import.meta.url)('typescript');
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    isolatedDeclarations: true,
    removeComments: !comments,
  };
  const texts = new Map();
  const mistakes = [];
  const files = new Set(Object.values(ENTRIES));
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8');
    const told = { fileName: file, reportDiagnostics: true, compilerOptions };
    const { outputText, diagnostics = [] } = ts.transpileDeclaration(source, told);
    for (const { messageText } of diagnostics) {
      mistakes.push(`${file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
    }
    for (const [, from, within] of outputText.matchAll(IMPORT)) {
      const name = from ?? within;
      // Whoever installs the package need not have what it is made with.
      if (!name.startsWith('.')) mistakes.push(`${file}: its types name ${name}`);
      else files.add(relative(root, resolve(root, dirname(file), name.replace(/\.js$/, '.ts'))));
    }
    texts.set(file, outputText);
  }
  return { texts, mistakes };
}

/** Writes them below a folder. @returns what is wrong, in words; empty: nothing */
export function writeDeclarations(target) {
  const { texts, mistakes } = declarations({ comments: true });
  for (const [file, text] of texts) {
    const out = join(target, file.replace(/\.ts$/, '.d.ts'));
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, text);
  }
  return mistakes;
}

/** @returns what programs can rely on, as one text: names and signatures, without what is said of them */
export function apiReport() {
  const entries = Object.entries(ENTRIES).map(([name, file]) => `// import from '${name}': ${file}\n`);
  const { texts } = declarations({ comments: false });
  const parts = [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, text]) => `// ${file}\n${text}`);
  return `${entries.join('')}\n${parts.join('\n')}`;
}
