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
