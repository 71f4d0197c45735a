import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from './child.js';
import { freePort } from './free-port.js';
import { findReferee } from './programs.js';
import { tempFolder } from './temp-folder.js';
import { untilConnectable } from './until-connectable.js';

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
  for (const port of ports) {
    await untilConnectable(port, child, () => readFileSync(log, 'utf8'));
  }
  return { pid: child.pid, stop: () => child.kill() };
}
