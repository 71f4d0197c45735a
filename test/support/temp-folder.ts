import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd, atExit } from './cleanup.js';

/** @returns a new, empty folder that is removed with the test (or file) that asked for it */
export function tempFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `ringproxy-${purpose}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const forget = atExit(remove);
  atEnd(() => {
    remove();
    forget();
  });
  return folder;
}
