/** `read-from: replica` while the ring changes: no key that has moved is missed, however late replicas are. */
import { expect, it } from 'vitest';
import { startHeldReplica } from '../../../support/held-replica.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedis } from '../../../support/redis-process.js';
import { add, post, settled } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

const CONFIG = `
key-groups:
  late: { prefixes: ["late:"], read-from: replica, max-lag: 1m }
`;
const KEYS = 3000;

/** Reads all keys. @returns those whose value is another one, or that are not there */
async function wrong(client: RawClient): Promise<string[]> {
  const keys = Array.from({ length: KEYS }, (_, n) => `late:${n}`);
  const replies = await client.pipeline(keys.map((key) => ['GET', key]));
  return keys.filter((key, at) => replies[at]?.toString() !== `$${key.length}\r\n${key}\r\n`);
}

it('a node that has joined answers for its replica, which has not got the moved keys yet', async () => {
  const [first, joining] = [await startRedis(), await startRedis()];
  const before = await startHeldReplica(first);
  const behind = await startHeldReplica(joining);
  const proxy = await startRingproxy({ nodes: [`a=${first.address}`], config: CONFIG });
  const client = await RawClient.connect(proxy.port);
  await client.pipeline(Array.from({ length: KEYS }, (_, n) => ['SET', `late:${n}`, `late:${n}`]));
  expect(await wrong(client)).toEqual([]);
  // Its replica is proven while the change begins; then its master's keys stay on their way to it.
  let checking = true;
  const misses: string[] = [];
  const checker = (async (): Promise<void> => {
    const other = await RawClient.connect(proxy.port);
    while (checking) misses.push(...(await wrong(other)));
  })();
  const metrics = async (): Promise<string> => (await fetch(`${proxy.admin}/metrics`)).text();
  await post(proxy, 'changes', { ...add('b', joining), throttle: 500 });
  await expect.poll(metrics).toMatch(/ringproxy_node_replicas\{node="b",state="proven"\} 1/);
  behind.hold();
  await settled(proxy);
  const end = Date.now() + 500;
  while (Date.now() < end) misses.push(...(await wrong(client)));
  expect(await joining.client().dbsize()).toBeGreaterThan(KEYS / 4);
  expect(await behind.server.client().dbsize()).toBeLessThan(await joining.client().dbsize());
  behind.release();
  const asked = async (): Promise<number> => {
    await wrong(client);
    return Number(/cmdstat_get:calls=(\d+)/.exec(await behind.server.client().info('commandstats'))?.[1] ?? 0);
  };
  await expect.poll(asked).toBeGreaterThan(0);
  expect(Number(/cmdstat_get/.test(await before.server.client().info('commandstats')))).toBe(1);
  checking = false;
  await checker;
  expect(misses).toEqual([]);
});
