/** Functions are on every node: also on those that start anew, or join. */
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';

const LIBRARY = `#!lua name=mylib
redis.register_function('bump', function(keys) return redis.call('INCR', keys[1]) end)`;
const KEYS = Array.from({ length: 30 }, (_, i) => `counter:${i}`);

it('a node that joins has the functions before its first key, one that starts anew has them soon', {
  timeout: 60_000,
}, async () => {
  const nodes = await startRedises(3);
  const proxy = await startRingproxy({ nodes, config: 'probe-interval: 100ms\n', allowLog: [/down/] });
  const client = await RawClient.connect(proxy.port);
  expect(await client.text('FUNCTION', 'LOAD', LIBRARY)).toBe('$5\r\nmylib\r\n');
  const bump = async (): Promise<string[]> =>
    (await client.pipeline(KEYS.map((key) => ['FCALL', 'bump', '1', key]))).map(String);
  expect(new Set(await bump())).toEqual(new Set([':1\r\n']));
  await fill(proxy, 200);
  const fourth = await startRedis();
  await post(proxy, 'changes', add('node4', fourth));
  expect((await bump()).filter((reply) => !reply.startsWith(':'))).toEqual([]);
  await settled(proxy);
  expect(await ownersOf(proxy, KEYS)).toContain(fourth.address);
  expect((await bump()).filter((reply) => !reply.startsWith(':'))).toEqual([]);
  await nodes[0]?.stop();
  await nodes[0]?.start();
  await expect
    .poll(async () => (await bump()).filter((reply) => !reply.startsWith(':')), { timeout: 20_000 })
    .toEqual([]);
  expect(proxy.log.some(({ msg }) => msg.startsWith('node1 came back without functions: copied those of'))).toBe(true);
});

it('a node that cannot take them is refused, and told why', { timeout: 60_000 }, async () => {
  const nodes = await startRedises(1);
  const proxy = await startRingproxy({ nodes });
  const client = await RawClient.connect(proxy.port);
  await client.command('FUNCTION', 'LOAD', LIBRARY);
  const second = await startRedis();
  await second.client().call('ACL', 'SETUSER', 'default', '-function');
  await expect(post(proxy, 'changes', add('node2', second))).rejects.toThrow(
    /node2 \(.*\) cannot take the functions of the ring: NOPERM/,
  );
  await settled(proxy);
});
