// Builds src and cli into dist. `node cli/bootstrap/build.mjs` checks types and builds; callers that have checked
// them, or do not care, build in a fraction of the time (`--if-stale`: only when the sources have changed).
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeDeclarations } from './declarations.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { requireNode, root, run, runTool } from './project.mjs';

const DIST = join(root, 'dist');
/** The web page: TypeScript for browsers, and files that are served as they are. */
const PAGE = 'src/admin/page';
/** What the page uses of packages, under the names by which it asks for them. */
const PAGE_VENDOR = [
  ['uplot/dist/uPlot.esm.js', 'uplot.js'],
  ['uplot/dist/uPlot.min.css', 'uplot.css'],
];
/** Makes few files of many. */
const BUNDLE = join(root, 'cli/bootstrap/bundle.mjs');
/** What package.json names as the program. */
const PROGRAM = 'cli/main.js';
/** Says which sources the build was made from. */
const FINGERPRINT = '.fingerprint';

/** Builds when the sources have changed since the last build. @returns an exit code: 0 when the build is there */
export function buildIfStale(options) {
  return currentFingerprint() === builtFingerprint() ? 0 : build(options);
}

/** @returns tsc's exit code */
export function build({ checkTypes }) {
  const fingerprint = currentFingerprint();
  // Beside dist, and moved into its place when it is whole: what runs from dist meanwhile never sees half a build.
  const fresh = `.dist-${process.pid}`;
  const compile = (project) => {
    const args = ['-p', project, '--outDir', fresh];
    return runTool('typescript', 'tsc', checkTypes ? args : [...args, '--noCheck']);
  };
  const status =
    compile('tsconfig.build.json') ||
    compile(PAGE) ||
    declare(join(root, fresh)) ||
    run(process.execPath, [BUNDLE, fresh]);
  if (status === 0) {
    copyPageFiles(join(root, fresh, PAGE));
    // `npx ringproxy` runs this file itself; the compiler makes it anew, without the right to be run.
    chmodSync(join(root, fresh, PROGRAM), 0o755);
    writeFileSync(join(root, fresh, FINGERPRINT), fingerprint);
    replaceDist(join(root, fresh));
  }
  rmSync(join(root, fresh), { recursive: true, force: true });
  return status;
}

/** @returns an exit code */
function declare(target) {
  const mistakes = writeDeclarations(target);
  for (const mistake of mistakes) console.error(mistake);
  return mistakes.length === 0 ? 0 : 1;
}

function copyPageFiles(target) {
  for (const name of readdirSync(join(root, PAGE))) {
    if (['.html', '.css', '.svg'].includes(extname(name))) cpSync(join(root, PAGE, name), join(target, name));
  }
  mkdirSync(join(target, 'vendor'), { recursive: true });
  for (const [from, to] of PAGE_VENDOR) cpSync(join(root, 'node_modules', from), join(target, 'vendor', to));
}

function replaceDist(fresh) {
  const old = `${fresh}-old`;
  for (let attempt = 1; ; attempt++) {
    if (existsSync(DIST)) renameSync(DIST, old);
    try {
      renameSync(fresh, DIST);
      break;
    } catch (error) {
      // Another build was faster.
      if (attempt === 5) throw error;
    }
  }
  rmSync(old, { recursive: true, force: true });
}

/** @returns what the build was made from; null: there is none */
export function builtFingerprint() {
  try {
    return readFileSync(join(DIST, FINGERPRINT), 'utf8');
  } catch {
    return null;
  }
}

/** A hash over the names and contents of everything that the build is made from. */
function currentFingerprint() {
  const hash = createHash('sha256');
  const files = ['src', 'cli'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  );
  files.push('package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json');
  for (const file of files.sort()) {
    if (!/\.(ts|mjs|json|html|css|svg)$/.test(file)) continue;
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  requireNode();
  ensureDependencies();
  process.exitCode = process.argv.includes('--if-stale')
    ? buildIfStale({ checkTypes: false })
    : build({ checkTypes: true });
}
