import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from './child.js';
import { freePort } from './free-port.js';
import { findReferee } from './programs.js';
import { tempFolder } from './temp-folder.js';

/** Whether the tests that need nutcracker (twemproxy) can run: some systems do not package it. */
export const hasNutcracker = findReferee('nutcracker') !== null;

/** The real `nutcracker`, which ends with the test (or file) that started it. */
export interface NutcrackerProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts nutcracker with this configuration, and waits until `ports` take connections.
 * @throws Error with its log when it ends before
 */
export async function startNutcracker(config: string, ports: readonly number[]): Promise<NutcrackerProcess> {
  const folder = tempFolder('nutcracker');
  const file = join(folder, 'nutcracker.yml');
  const log = join(folder, 'nutcracker.log');
  writeFileSync(file, config);
  const statistics = String(await freePort());
  const child = await startChild(
    'nutcracker',
    // Without -o and -p it writes below /var/log and /run.
    ['-c', file, '-o', log, '-p', join(folder, 'nutcracker.pid'), '-a', '127.0.0.1', '-s', statistics, '-m', '16384'],
    { cwd: folder },
  );
  for (const port of ports) await untilConnectable(port, child, log);
  return { pid: child.pid, stop: () => child.kill() };
}

/** Its log is a file, so there is no event to wait for: asks again until it listens. */
async function untilConnectable(port: number, child: Child, log: string): Promise<void> {
  while (!(await connects(port))) {
    if (!child.running) throw new Error(`nutcracker ended:\n${child.output}\n${readFileSync(log, 'utf8')}`);
    await delay(5);
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
