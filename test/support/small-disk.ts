import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';
import { tempFolder } from './temp-folder.js';

/** A disk of its own that can be full. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all room that there is. */
  fill(): void;
  /** Gives it back. */
  makeRoom(): void;
}

/** Whether this user may mount one. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();

/** @param kilobytes its size */
export function smallDisk(kilobytes: number): SmallDisk {
  const folder = tempFolder('disk');
  mount(folder, kilobytes);
  atEnd(() => unmount(folder));
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill() {
      const file = openSync(ballast, 'w');
      try {
        const block = Buffer.alloc(4096, 'x');
        for (;;) writeSync(file, block);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        closeSync(file);
      }
    },
    makeRoom() {
      rmSync(ballast);
    },
  };
}

function tryMount(): boolean {
  const folder = tempFolder('disk');
  try {
    mount(folder, 64);
    unmount(folder);
    return true;
  } catch {
    return false;
  }
}

function mount(folder: string, kilobytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
}
