import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { environment, fail, requireNode, root } from './project.mjs';

/** The program, as it is built. */
export const main = join(root, 'dist/cli/main.js');

/** Installs and builds what is missing. */
export function prepare() {
  requireNode();
  ensureDependencies();
  if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');
}

/** Runs the program in this process, not in a child: signals and the exit code are then the program's own. */
export async function ringproxy(...args) {
  process.env.PATH = environment.PATH;
  process.argv = [process.execPath, main, ...args];
  await import(pathToFileURL(main).href);
}
