import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from '../support/child.js';
import type { RedisProcess } from '../support/redis-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { untilConnectable } from '../support/until-connectable.js';

/** Names the program: no system packages it. */
export const PREDIXY = process.env.PREDIXY ?? null;

/** Starts predixy with one thread in front of the nodes, and waits until it takes connections. */
export async function startPredixy(program: string, port: number, nodes: readonly RedisProcess[]): Promise<Child> {
  const folder = tempFolder('predixy');
  const file = join(folder, 'predixy.conf');
  const log = join(folder, 'predixy.log');
  const groups = nodes.map(({ address }, index) => `  Group node${index + 1} {\n    + ${address}\n  }\n`);
  writeFileSync(
    file,
    `Name bench\nBind 127.0.0.1:${port}\nWorkerThreads 1\nLog ${log}\n` +
      `StandaloneServerPool {\n  Hash crc16\n  HashTag "{}"\n  Distribution modula\n  RefreshMethod fixed\n` +
      `${groups.join('')}}\n`,
  );
  const child = await startChild(program, [file], { cwd: folder });
  await untilConnectable(port, child, () => readFileSync(log, 'utf8'));
  return child;
}
