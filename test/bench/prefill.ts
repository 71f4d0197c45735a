import { RawClient } from '../support/raw-client.js';
import type { RedisProcess } from '../support/redis-process.js';
import { benchmarkKey } from './redis-benchmark.js';

const BATCH_BYTES = 4 << 20;

/** Every node gets every key, so that every way of sharing them out finds each one. */
export async function prefill(nodes: readonly RedisProcess[], keys: number, valueSize: number): Promise<void> {
  const value = Buffer.alloc(valueSize, 'x');
  const batch = Math.max(1, Math.floor(BATCH_BYTES / (valueSize + 64)));
  await Promise.all(
    nodes.map(async (node) => {
      const client = await RawClient.connect(node.port);
      await client.command('FLUSHALL');
      for (let first = 0; first < keys; first += batch) {
        const count = Math.min(batch, keys - first);
        await client.pipeline(Array.from({ length: count }, (_, i) => ['SET', benchmarkKey(first + i), value]));
      }
      client.close();
    }),
  );
}
