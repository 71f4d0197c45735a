/** Functions are on every node, also on one that joins or comes back. */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { add, ownersOf, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const library = (name: string, answer: string): string =>
  `#!lua name=${name}\nredis.register_function{function_name='${name}_f', callback=function(keys, args) return '${answer}' end, flags={'no-writes'}}`;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

async function keyOf(proxy: RingproxyProcess, node: RedisProcess | undefined): Promise<string> {
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
  return keys[(await ownersOf(proxy, keys)).indexOf(node?.address ?? '')] ?? '';
}

async function librariesOf(node: RedisProcess | undefined): Promise<string> {
  return JSON.stringify(await node?.client().call('FUNCTION', 'LIST'));
}

describe.each([1, 2])('functions, with %i workers', (workers) => {
  it('are loaded and deleted everywhere, and come back to a node that was restarted before it serves', async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes, args: ['--workers', String(workers)], allowLog: [/node2/] });
    const client = await RawClient.connect(proxy.port);
    expect(await client.text('FUNCTION', 'LOAD', library('one', 'first'))).toBe(bulk('one'));
    expect(await client.text('FUNCTION', 'LOAD', library('two', 'second'))).toBe(bulk('two'));
    expect(await client.text('FUNCTION', 'LOAD', library('one', 'x'))).toBe("-ERR Library 'one' already exists\r\n");
    const key = await keyOf(proxy, nodes[1]);
    expect(await client.text('FCALL', 'one_f', '1', key)).toBe(bulk('first'));
    expect(await client.text('FCALL_RO', 'two_f', '1', key)).toBe(bulk('second'));
    expect(await client.text('FCALL', 'one_f', '2', key, await keyOf(proxy, nodes[0]))).toBe(bulk('first'));
    await nodes[1]?.stop();
    await expect.poll(() => client.text('GET', key)).toMatch(/^-NODEDOWN/);
    expect(await client.text('FUNCTION', 'LOAD', library('three', 'third'))).toBe(bulk('three'));
    await nodes[1]?.start();
    // From the first answer on it has them all.
    let reply = await client.text('FCALL', 'three_f', '1', key);
    const deadline = Date.now() + 20_000;
    while (reply.startsWith('-NODEDOWN') && Date.now() < deadline)
      reply = await client.text('FCALL', 'three_f', '1', key);
    expect(reply).toBe(bulk('third'));
    expect(await client.text('FCALL', 'one_f', '1', key)).toBe(bulk('first'));
    expect(await client.text('FUNCTION', 'DELETE', 'two')).toBe('+OK\r\n');
    for (const node of nodes) expect(await librariesOf(node)).not.toContain('two_f');
    expect(await client.text('FUNCTION', 'FLUSH')).toBe('+OK\r\n');
    for (const node of nodes) expect(await librariesOf(node)).toBe('[]');
  });

  it('are on a node that joins before keys move to it', async () => {
    const nodes = await startRedises(2);
    const joining = await startRedis();
    const proxy = await startRingproxy({ nodes, args: ['--workers', String(workers)] });
    const client = await RawClient.connect(proxy.port);
    await client.command('FUNCTION', 'LOAD', library('one', 'first'));
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    await client.pipeline(keys.map((key) => ['SET', key, 'x']));
    await post(proxy, 'changes', add('node3', joining));
    const replies = await client.pipeline(keys.map((key) => ['FCALL', 'one_f', '1', key]));
    expect(new Set(replies.map(String))).toEqual(new Set([bulk('first')]));
    await settled(proxy);
    expect(await librariesOf(joining)).toContain('one_f');
    const dump = (await client.command('FUNCTION', 'DUMP')).subarray(0, -2);
    await client.command('FUNCTION', 'FLUSH');
    const payload = dump.subarray(dump.indexOf('\n') + 1);
    expect(await client.text('FUNCTION', 'RESTORE', payload)).toBe('+OK\r\n');
    for (const node of [...nodes, joining]) expect(await librariesOf(node)).toContain('one_f');
  });
});

it('functions that only some nodes have are given to the others when a proxy starts', async () => {
  const nodes = await startRedises(3);
  await nodes[1]?.client().call('FUNCTION', 'LOAD', library('one', 'first'));
  const proxy = await startRingproxy({ nodes });
  const client = await RawClient.connect(proxy.port);
  for (const node of nodes)
    expect(await client.text('FCALL', 'one_f', '1', await keyOf(proxy, node))).toBe(bulk('first'));
});

it('FUNCTION STATS shows a function that runs on any node, and FUNCTION KILL ends it', async () => {
  const nodes = await startRedises(3);
  // On a slow machine too it is to be ended before it counts as lost.
  const proxy = await startRingproxy({ nodes, env: { RINGPROXY_REQUEST_TIMEOUT: '60s' } });
  const [hanging, client] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
  const body = "#!lua name=l\nredis.register_function('hang', function() while true do end end)";
  expect(await client.text('FUNCTION', 'LOAD', body)).toBe(bulk('l'));
  expect(await client.text('FUNCTION', 'KILL')).toBe('-NOTBUSY No scripts in execution right now.\r\n');
  expect(await client.text('FUNCTION', 'STATS')).toContain('running_script\r\n$-1\r\n');
  for (const node of nodes) await node.client().config('SET', 'busy-reply-threshold', '10');
  const ended = hanging.text('FCALL', 'hang', '1', await keyOf(proxy, nodes[2]));
  await expect.poll(() => client.text('FUNCTION', 'STATS'), { timeout: 20_000 }).toContain('$4\r\nhang\r\n');
  expect(await client.text('SCRIPT', 'KILL')).toMatch(/^-BUSY /);
  expect(await client.text('FUNCTION', 'KILL')).toBe('+OK\r\n');
  expect(await ended).toMatch(/^-ERR .*Script killed by user/);
});
