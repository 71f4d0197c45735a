import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { track, trackFolder } from './cleanup.js';
import { freePort } from './free-port.js';

/** Starts the real `nutcracker` (twemproxy) with this configuration, and waits until `ports` take connections. */
export async function startNutcracker(config: string, ports: readonly number[]): Promise<{ pid: number }> {
  const folder = trackFolder(mkdtempSync(join(tmpdir(), 'ringproxy-nutcracker-')));
  const file = join(folder, 'nutcracker.yml');
  writeFileSync(file, config);
  const statistics = await freePort();
  const child = track(
    spawn('nutcracker', ['-c', file, '-a', '127.0.0.1', '-s', String(statistics), '-m', '16384'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  for (const port of ports) await untilConnectable(port, () => (child.exitCode === null ? null : log));
  return { pid: child.pid ?? -1 };
}

/** Tries again at once while the port refuses: there is no event to wait for in another process' log. */
async function untilConnectable(port: number, failed: () => string | null): Promise<void> {
  for (;;) {
    const log = failed();
    if (log !== null) throw new Error(`nutcracker ended:\n${log}`);
    const connected = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (connected) return;
  }
}
