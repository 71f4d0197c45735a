import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root, run } from './project.mjs';

/** Installs the dependencies exactly as the lock file has them, unless they are installed already. */
export function ensureDependencies() {
  if (areInstalled()) return;
  console.error('Installing dependencies (npm ci) …');
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev'];
  const npm = process.env.npm_execpath ?? '';
  // Started by npm, the same npm; otherwise (yarn, pnpm, plain node) the one on the PATH.
  const status = /npm-cli\.[cm]?js$/.test(npm) ? run(process.execPath, [npm, ...args]) : run('npm', args);
  if (status !== 0) fail('`npm ci` failed: see its messages above. It needs a network and a package registry.');
}

/** Whether what is in node_modules is what the lock file asks for. */
function areInstalled() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules/.package-lock.json'));
  if (wanted === null || installed === null) return false;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional === true || installed[path]?.version === entry.version,
  );
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return null;
  }
}
