import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where package managers put servers that are not on every user's PATH (nutcracker is in /usr/sbin). */
const EXTRA_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** @returns the absolute path of a program, or null when it is not installed */
export function findProgram(name: string): string | null {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...EXTRA_FOLDERS]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/**
 * A program that tests compare with, or need to see something with, and that some systems do not package: without it
 * they are skipped. In CI nothing is skipped.
 * @param names of one program, by the systems that package it
 * @returns its absolute path, or null when it is not installed
 * @throws Error in CI when it is not installed
 */
export function findReferee(...names: readonly [string, ...string[]]): string | null {
  for (const name of names) {
    const path = findProgram(name);
    if (path !== null) return path;
  }
  if (process.env.CI) throw new Error(`${names[0]} is not installed: in CI, what needs it must not be skipped`);
  return null;
}

/** @returns the absolute path of a program. @throws Error when it is not installed */
export function requireProgram(name: string): string {
  const path = isAbsolute(name) ? name : findProgram(name);
  if (path === null) throw new Error(`${name} is not installed; \`npm test\` and \`npm run bench\` install it`);
  return path;
}
