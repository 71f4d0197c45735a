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

/** @returns the absolute path of a program. @throws Error when it is not installed */
export function requireProgram(name: string): string {
  const path = isAbsolute(name) ? name : findProgram(name);
  if (path === null) throw new Error(`${name} is not installed; \`npm test\` and \`npm run bench\` install it`);
  return path;
}
