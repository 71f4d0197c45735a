// Plain JavaScript without dependencies: this runs on a fresh clone, before anything is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with package.json. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Folders of servers that are not on every user's PATH. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];

export const environment = { ...process.env, PATH: [process.env.PATH ?? '', ...SERVER_FOLDERS].join(':') };

/** Ends the program with exit code 1 and one message: what is wrong, and what to do. */
export function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

/** Ends the program when Node.js is older than package.json asks for. */
export function requireNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  if (ourMajor < major || (ourMajor === major && ourMinor < minor)) {
    fail(`ringproxy needs Node.js ${wanted} or newer; this is ${process.versions.node}. See https://nodejs.org.`);
  }
}

/** Runs a program in the project's folder with our own input and output. @returns its exit code */
export function run(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...environment, ...env },
  });
  if (error !== undefined) console.error(`${program}: ${error.message}`);
  return status ?? 1;
}

/** Runs a program of an installed package with this Node.js, or with another one. @returns its exit code */
export function runTool(name, binary, args, env = {}, node = process.execPath) {
  return run(node, [toolPath(name, binary), ...args], env);
}

/** @returns the script that a program of an installed package starts with */
export function toolPath(name, binary) {
  const folder = join(root, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[binary]);
}
