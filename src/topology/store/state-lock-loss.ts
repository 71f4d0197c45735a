/** Why a process does not have its state directory any more, in words that are true: who reads them looks for the cause. */
import { type FileHandle, stat } from 'node:fs/promises';

/** @param held the directory as it was opened; while it is open, no other one gets its inode */
export async function isReplaced(directory: string, held: FileHandle): Promise<boolean> {
  const now = await stat(directory).catch(() => null);
  const then = await held.stat();
  return now === null || now.dev !== then.dev || now.ino !== then.ino;
}

/**
 * @param replaced whether another directory stands in the place of the one that was locked
 * @param silentMs how long ago this process last renewed its lock
 * @param watchMs how long others watch a lock before they take it
 */
export function describeLoss(directory: string, replaced: boolean, silentMs: number, watchMs: number): string {
  if (replaced) return `${directory} was removed or replaced while this proxy ran, and another one has made it anew`;
  if (silentMs >= watchMs) {
    return `another proxy has taken ${directory}, since this one stood still for too long (${Math.round(silentMs / 1000)} s)`;
  }
  return `another proxy has taken ${directory}: its lock was removed or overwritten while this proxy ran`;
}
