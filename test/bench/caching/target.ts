import { fileURLToPath } from 'node:url';
import { startChild } from '../../support/child.js';
import type { RedisProcess } from '../../support/redis-process.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import type { Target } from '../targets.js';

/** The other targets place keys by their own rings. */
const OTHERS = [/does not own/, /none of this fleet/];

/** A proxy before these nodes, with groups of keys as its configuration says. */
export async function startCaching(nodes: readonly RedisProcess[], name: string, config: string): Promise<Target> {
  const proxy = await startRingproxy({ nodes, config, allowLog: OTHERS });
  return { name, port: proxy.port, pid: proxy.pid, stop: () => proxy.stop() };
}

/** The least that Node.js can answer GET with (see `blind-process.ts`). */
export async function startBlind(valueBytes: number): Promise<Target> {
  const main = fileURLToPath(new URL('./blind-process.js', import.meta.url));
  const child = await startChild(process.env.TEST_NODE ?? process.execPath, [main, String(valueBytes)]);
  const port = await child.line((line) => /^127\.0\.0\.1:(\d+)$/.exec(line)?.[1] ?? null);
  return { name: 'blind', port: Number(port), pid: child.pid, stop: () => child.stop() };
}
