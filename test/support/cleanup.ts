import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll } from 'vitest';

/** Everything that a test started and that must not outlive it, also when the test fails. */
const running = new Set<ChildProcess>();
const folders = new Set<string>();

export function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export function trackFolder(folder: string): string {
  folders.add(folder);
  return folder;
}

function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

process.once('exit', endAll);
afterAll(async () => {
  const exits = [...running].map((child) => new Promise((resolve) => child.once('exit', resolve)));
  endAll();
  await Promise.all(exits);
});
