/** Scripts over the ring: whoever has sent one may run it by its digest, wherever its keys are. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../support/redis-process.js';
import { add, fill, ownersOf, post, settled } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

const SCRIPT = "return redis.call('INCR', KEYS[1])";
const DIGEST = createHash('sha1').update(SCRIPT).digest('hex');
const KEYS = Array.from({ length: 30 }, (_, i) => `counter:${i}`);

async function stage(
  count: number,
  args: readonly string[] = [],
): Promise<{ nodes: RedisProcess[]; proxy: RingproxyProcess; client: RawClient }> {
  const nodes = await startRedises(count);
  const proxy = await startRingproxy({ nodes, args, allowLog: [/down/] });
  return { nodes, proxy, client: await RawClient.connect(proxy.port) };
}

/** Runs the script by its digest on each key, in one pipeline. */
async function runAll(client: RawClient): Promise<string[]> {
  return (await client.pipeline(KEYS.map((key) => ['EVALSHA', DIGEST, '1', key]))).map(String);
}

describe.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
] as const)('%s', (_title, args) => {
  it('a script that was loaded runs on nodes that restart empty, or join', { timeout: 60_000 }, async () => {
    const { nodes, proxy, client } = await stage(3, args);
    expect(await client.text('SCRIPT', 'LOAD', SCRIPT)).toBe(`$40\r\n${DIGEST}\r\n`);
    expect(new Set(await runAll(client))).toEqual(new Set([':1\r\n']));
    await nodes[1]?.stop();
    await nodes[1]?.start();
    const others = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(proxy.port)));
    for (const other of others) {
      await expect.poll(async () => (await runAll(other)).every((reply) => reply.startsWith(':'))).toBe(true);
    }
    const fourth = await startRedis();
    await fill(proxy, 200);
    await post(proxy, 'changes', add('node4', fourth));
    await settled(proxy);
    expect(await ownersOf(proxy, KEYS)).toContain(fourth.address);
    for (const other of others) expect((await runAll(other)).every((reply) => reply.startsWith(':'))).toBe(true);
    expect(await client.text('SCRIPT', 'EXISTS', DIGEST, '0'.repeat(40))).toBe('*2\r\n:1\r\n:0\r\n');
  });

  it('SCRIPT FLUSH has every node and every client forget', async () => {
    const { proxy, client } = await stage(2, args);
    await client.command('SCRIPT', 'LOAD', SCRIPT);
    const other = await RawClient.connect(proxy.port);
    await runAll(other);
    expect(await client.text('SCRIPT', 'FLUSH')).toBe('+OK\r\n');
    for (const each of [client, other]) {
      await expect
        .poll(async () => (await runAll(each)).every((reply) => reply.startsWith('-NOSCRIPT No matching script')))
        .toBe(true);
    }
    expect(await client.text('SCRIPT', 'EXISTS', DIGEST)).toBe('*1\r\n:0\r\n');
  });
});

it('a script that was sent by EVAL runs by its digest on every node, in the order of the pipeline', async () => {
  const { client } = await stage(3);
  await client.command('EVAL', SCRIPT, '1', 'first');
  const commands = KEYS.flatMap((key) => [
    ['SET', key, '10'],
    ['EVALSHA', DIGEST.toUpperCase(), '1', key],
    ['GET', key],
  ]);
  const replies = (await client.pipeline(commands)).map(String);
  for (let i = 0; i < KEYS.length; i++) {
    expect(replies.slice(i * 3, i * 3 + 3)).toEqual(['+OK\r\n', ':11\r\n', '$2\r\n11\r\n']);
  }
});

it('in a transaction the node has the script, too', async () => {
  const { client, nodes } = await stage(3);
  await client.command('EVAL', SCRIPT, '1', 'first');
  for (const node of nodes) await node.client().script('FLUSH');
  // Nobody has told the proxy that the scripts are gone: this call finds out, and the next ones are healed.
  await runAll(client);
  for (const key of KEYS) {
    const replies = await client.pipeline([['MULTI'], ['SET', key, '1'], ['EVALSHA', DIGEST, '1', key], ['EXEC']]);
    expect(String(replies[3])).toBe('*2\r\n+OK\r\n:2\r\n');
  }
});

it('a script that runs on and on is killed over any connection, and the node serves again', {
  timeout: 60_000,
}, async () => {
  const { proxy, client, nodes } = await stage(3);
  for (const node of nodes) await node.client().config('SET', 'lua-time-limit', '50');
  expect(await client.text('SCRIPT', 'KILL')).toBe('-NOTBUSY No scripts in execution right now.\r\n');
  const endless = client.text('EVAL', 'while true do end', '1', 'k');
  const killer = await RawClient.connect(proxy.port);
  await expect.poll(() => killer.text('SCRIPT', 'KILL'), { timeout: 10_000 }).toBe('+OK\r\n');
  expect(await endless).toMatch(/^-ERR Error running script|^-ERR .*Script killed by user/);
  expect(await killer.text('SET', 'k', '1')).toBe('+OK\r\n');
});
