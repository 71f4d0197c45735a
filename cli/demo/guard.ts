/**
 * Ends the demo's processes when the demo itself was killed and cannot: a process of its own whose standard input
 * ends with the demo. Each line names a process, `+PID` when it has started and `-PID` when it has ended.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The program to start: `node GUARD FOLDER`. */
export const GUARD = fileURLToPath(import.meta.url);

/** Waits for the end of the input; then kills what is left, and removes the folder. */
function guard(folder: string): void {
  const running = new Set<number>();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) running.add(pid);
    else running.delete(pid);
  });
  lines.on('close', () => {
    for (const pid of running) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    rmSync(folder, { recursive: true, force: true });
  });
}

if (process.argv[1] === GUARD) guard(process.argv[2] ?? '');
