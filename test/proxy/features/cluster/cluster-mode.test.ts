/** With `cluster-mode`, clients of Redis Cluster use the proxy unchanged. */
import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { expect, it } from 'vitest';
import { atEnd } from '../../../support/cleanup.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedis, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const start = async (...args: string[]): Promise<RingproxyProcess> =>
  startRingproxy({ nodes: await startRedises(3), args: ['--cluster-mode', 'true', ...args] });

it.each([['1'], ['2']])('ioredis Cluster, with --workers %s', async (workers) => {
  const proxy = await start('--workers', workers);
  const cluster = new Cluster([{ host: '127.0.0.1', port: proxy.port }]);
  atEnd(() => cluster.disconnect());
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => cluster.set(key, `value of ${key}`)));
  expect(await Promise.all(keys.map((key) => cluster.get(key)))).toEqual(keys.map((key) => `value of ${key}`));
  expect(cluster.nodes('master')).toHaveLength(1);
  expect(await cluster.multi().incr('{tag}a').incr('{tag}a').exec()).toEqual([
    [null, 1],
    [null, 2],
  ]);
  expect(await cluster.eval('return redis.call("GET", KEYS[1])', 1, 'k1')).toBe('value of k1');
});

it('node-redis createCluster, with RESP2 and RESP3', async () => {
  const proxy = await start();
  for (const RESP of [2, 3] as const) {
    const cluster = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${proxy.port}` }], RESP });
    cluster.on('error', () => {});
    atEnd(() => cluster.destroy());
    await cluster.connect();
    for (let i = 0; i < 30; i++) await cluster.set(`k${i}`, `v${i}`);
    expect(await cluster.get('k7')).toBe('v7');
    expect(await cluster.hSet('hash', { a: '1', b: '2' })).toBe(RESP === 2 ? 2 : 0);
    expect({ ...(await cluster.hGetAll('hash')) }).toEqual({ a: '1', b: '2' });
  }
});

it('tells of itself under the address that the client has connected to', async () => {
  const proxy = await start();
  const client = await RawClient.connect(proxy.port);
  const id = (await client.text('CLUSTER', 'MYID')).split('\r\n')[1] ?? '';
  expect(id).toMatch(/^[0-9a-f]{40}$/);
  const { port } = proxy;
  const entry = `*4\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$40\r\n${id}\r\n*0\r\n`;
  expect(await client.text('CLUSTER', 'SLOTS')).toBe(`*1\r\n*3\r\n:0\r\n:16383\r\n${entry}`);
  expect(await client.text('CLUSTER', 'NODES')).toContain(
    `${id} 127.0.0.1:${port}@${port + 10_000} myself,master - 0 0 1 connected 0-16383\n`,
  );
  expect(await client.text('CLUSTER', 'INFO')).toContain('cluster_state:ok\r\n');
  expect(await client.text('CLUSTER', 'SHARDS')).toContain('$6\r\nonline');
  expect(await client.text('CLUSTER', 'KEYSLOT', 'foo')).toBe(':12182\r\n');
  expect(await client.text('CLUSTER', 'REPLICAS', id)).toBe('*0\r\n');
  expect(await client.text('CLUSTER', 'REPLICAS', 'x')).toBe('-ERR Unknown node x\r\n');
  expect(await client.text('CLUSTER', 'MEET', '127.0.0.1', '1')).toMatch(/^-ERR CLUSTER MEET is not allowed/);
  expect(await client.text('CLUSTER', 'COUNTKEYSINSLOT', '1')).toMatch(/keys are not kept by slots\r\n$/);
  for (const name of ['READONLY', 'READWRITE', 'ASKING']) expect(await client.text(name)).toBe('+OK\r\n');
  expect(await client.text('INFO')).toMatch(/redis_mode:cluster[\s\S]*cluster_enabled:1/);
  expect(await client.text('HELLO')).toContain('$7\r\ncluster\r\n');
});

it('without it the answers are those of a Redis without cluster support', async () => {
  const redis = await startRedis();
  const proxy = await startRingproxy({ nodes: [redis] });
  for (const words of [['CLUSTER', 'INFO'], ['CLUSTER', 'SLOTS'], ['READONLY'], ['READWRITE'], ['ASKING']]) {
    const [ours, theirs] = await Promise.all([proxy.port, redis.port].map((port) => RawClient.connect(port)));
    expect(await ours?.text(...words)).toBe(await theirs?.text(...words));
  }
});
