/** What is told of the nodes' servers, and what is not. */
import { expect, it } from 'vitest';
import { startRedis } from '../../support/redis-process.js';
import { ringOf, until } from '../../support/ring-api.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';

it('nodes have the figures that they say, and none that they do not', async () => {
  const small = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru'] });
  const silent = await startRedis({ args: ['--rename-command', 'INFO', ''] });
  const proxy = await startRingproxy({
    nodes: [small, silent],
    allowLog: [/node2|may not call INFO|unknown command/],
  });
  const filler = proxy.client();
  for (let i = 0; i < 90; i++) await filler.set(`filler:${i}`, 'x'.repeat(100_000));
  await until(proxy, ({ nodes }) => (nodes[0]?.figures?.evictedKeys ?? 0) > 0);
  const [told, untold] = (await ringOf(proxy)).nodes;
  expect(told).toMatchObject({
    version: expect.stringMatching(/^\d+\./),
    figures: { maxMemory: 3 * 1024 * 1024, maxMemoryPolicy: 'allkeys-lru', role: 'master', loading: false },
  });
  expect(untold).toMatchObject({ usedMemory: null, figures: null });
  const series = await scrape(proxy.admin);
  const of = (node: string): string[] =>
    [...series.keys()].filter((name) => name.includes(`{node="${node}"}`)).map((name) => name.replace(/\{.*/, ''));
  expect(series.get('ringproxy_node_max_memory_bytes{node="node1"}')).toBe(3 * 1024 * 1024);
  expect(series.get('ringproxy_node_evicted_keys_total{node="node1"}')).toBeGreaterThan(0);
  expect(series.get('ringproxy_node_connected_clients{node="node1"}')).toBeGreaterThan(1);
  expect(series.get('ringproxy_node_max_clients{node="node1"}')).toBeGreaterThan(100);
  expect(series.get('ringproxy_node_replica{node="node1"}')).toBe(0);
  const ofServers = of('node1').filter((name) => !of('node2').includes(name));
  expect(ofServers).toEqual(
    expect.arrayContaining([
      'ringproxy_node_blocked_clients',
      'ringproxy_node_expired_keys_total',
      'ringproxy_node_fragmentation_ratio',
      'ringproxy_node_loading',
      'ringproxy_node_resident_memory_bytes',
      'ringproxy_node_uptime_seconds',
    ]),
  );
});
