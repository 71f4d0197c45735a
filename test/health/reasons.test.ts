/**
 * What a node says of itself reaches clients and operators.
 *
 * Symptom: "closed the connection" where the node had said `max number of clients reached`, and nothing at all in
 * `ring show` of a node that answered READONLY or MISCONF. Cause: a node that turns a connection away answers the first
 * command with its reason, and that was a courtesy (CLIENT SETNAME) whose errors do not count; and only whether a node
 * answers was looked at, not what.
 */

import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/admin/api.js';
import { inspectNode } from '../../src/health/inspect.js';
import { readsOnly } from '../../src/node/standing.js';
import { NodeLink } from '../../src/rebalance/node-link.js';
import { atEnd } from '../support/cleanup.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { ringOf } from '../support/ring-api.js';
import { MAIN, type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const NODE_TROUBLE = [/upstream:(down|impaired)/, /node:health/, /could not be checked/];
const FULL = 'ERR max number of clients reached';
const DENIED =
  '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode.\r\n';

/** Takes so many of a node's connections. */
async function occupy(redis: RedisProcess, count: number): Promise<RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.connect(redis.port)));
  for (const client of clients) expect(await client.text('PING')).toBe('+PONG\r\n');
  return clients;
}

async function nodeOf(proxy: RingproxyProcess): Promise<NodeView | undefined> {
  return (await ringOf(proxy)).nodes[0];
}

/** A server that turns everybody away, as Redis does. */
async function startUnfriendly(says: string): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end(says);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => void server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

async function showsAndSays(proxy: RingproxyProcess, said: string): Promise<void> {
  const client = await RawClient.connect(proxy.port);
  await expect.poll(() => client.text('GET', 'a')).toMatch(/^-NODEDOWN node \S+ \(\S+\) ref/);
  expect(await client.text('GET', 'a')).toContain(said);
  expect((await proxy.logged(/upstream:down/)).msg).toContain(said);
  await expect
    .poll(() => nodeOf(proxy), { timeout: 10_000 })
    .toMatchObject({ state: 'down', error: expect.stringContaining(said), reason: expect.stringContaining(said) });
}

describe.each([1, 2])('with %s workers', (workers) => {
  const args = ['--workers', String(workers)];

  it('a node that has as many clients as it may says so, and serves when it has not', { timeout: 30_000 }, async () => {
    const redis = await startRedis({ args: ['--maxclients', '5'] });
    const others = await occupy(redis, 5);
    const proxy = await startRingproxy({ nodes: [redis], args, allowLog: NODE_TROUBLE });
    await showsAndSays(proxy, FULL);
    for (const other of others) other.close();
    const client = await RawClient.connect(proxy.port);
    await expect.poll(() => client.text('GET', 'a'), { timeout: 10_000 }).toBe('$-1\r\n');
    await expect.poll(() => nodeOf(proxy), { timeout: 10_000 }).toMatchObject({ state: 'active', reason: null });
  });

  it('a password that is wrong or missing is said to be that', { timeout: 30_000 }, async () => {
    const redis = await startRedis({ args: ['--requirepass', 'right'] });
    const none = await startRingproxy({ nodes: [redis], args, allowLog: NODE_TROUBLE });
    await showsAndSays(none, 'NOAUTH');
    const env = { RINGPROXY_NODE_PASSWORD: 'wrong' };
    const wrong = await startRingproxy({ nodes: [redis], args, env, allowLog: NODE_TROUBLE });
    await showsAndSays(wrong, 'WRONGPASS');
  });

  it('a node in protected mode says so, in a sentence', { timeout: 30_000 }, async () => {
    const address = await startUnfriendly(DENIED);
    const proxy = await startRingproxy({ nodes: [`n=${address}`], args, allowLog: NODE_TROUBLE });
    await showsAndSays(proxy, 'DENIED Redis is running in protected mode because protected mode is enabled');
    const client = await RawClient.connect(proxy.port);
    expect(await client.text('GET', 'a')).not.toContain('In this mode');
  });

  it('what clients are told by a node that is up shows, and ends', { timeout: 40_000 }, async () => {
    const redis = await startRedis();
    const proxy = await startRingproxy({ nodes: [redis], args, allowLog: NODE_TROUBLE });
    const client = await RawClient.connect(proxy.port);
    await redis.client().call('ACL', 'SETUSER', 'default', '-get');
    const impaired = proxy.logged(/upstream:impaired/);
    expect(await client.text('GET', 'a')).toMatch(/^-NOPERM /);
    expect((await impaired).msg).toMatch(/^node node1 \(\S+\) answers clients: NOPERM .*'get' command$/);
    await expect
      .poll(() => nodeOf(proxy))
      .toMatchObject({ state: 'active', error: null, reason: expect.stringMatching(/^NOPERM /) });
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'ring', 'show', '--admin', proxy.admin]);
    expect(stdout).toMatch(/STATE.*REASON/);
    expect(stdout).toMatch(/node1 .* active .* NOPERM .*get/);
    const recovered = proxy.logged(/upstream:recovered/);
    await redis.client().call('ACL', 'SETUSER', 'default', '+get');
    await recovered;
    await expect.poll(() => nodeOf(proxy)).toMatchObject({ state: 'active', reason: null });
  });
});

describe('a node that is up, and cannot do its work,', () => {
  const cases: [string, RegExp, (redis: RedisProcess, folder: string) => Promise<unknown>][] = [
    ['a replica', /^READONLY it is a replica of 127\.0\.0\.1:/, (redis) => redis.client().replicaof('127.0.0.1', 1)],
    [
      'one without memory',
      /^OOM /,
      async (redis) => {
        await redis.client().set('a', 'x'.repeat(100_000));
        await redis.client().config('SET', 'maxmemory', '500kb');
      },
    ],
    [
      'one that cannot save',
      /^MISCONF its last snapshot failed/,
      async (redis, folder) => {
        rmSync(folder, { recursive: true });
        await redis.client().bgsave();
      },
    ],
    [
      'one that loads',
      /^LOADING it loads its keys: \d+ %/,
      async (redis) => {
        const pipeline = redis.client().pipeline();
        for (let i = 0; i < 2000; i++) pipeline.set(`filler:${i}`, `value ${i}`);
        await pipeline.exec();
        await redis.restartLoading(2000);
      },
    ],
    [
      'one whose user may not call INFO',
      /^NOPERM /,
      (redis) => redis.client().call('ACL', 'SETUSER', 'default', '-info'),
    ],
  ];

  it.each(cases)('%s, is shown with its reason, by probes alone', { timeout: 30_000 }, async (_what, reason, fall) => {
    const folder = join(tempFolder('node'), 'data');
    mkdirSync(folder);
    const redis = await startRedis({ args: ['--dir', folder] });
    const proxy = await startRingproxy({ nodes: [redis], config: 'probe-interval: 100ms\n', allowLog: NODE_TROUBLE });
    const news = proxy.logged(/up, but: /);
    await fall(redis, folder);
    await expect
      .poll(() => nodeOf(proxy), { timeout: 10_000 })
      .toMatchObject({ state: 'active', error: null, reason: expect.stringMatching(reason) });
    expect((await news).msg).toMatch(/^node node1 \(\S+\) is up, but: /);
    const events = await (
      await fetch(`${proxy.admin}/v1/events?recent`, { signal: AbortSignal.timeout(500) }).then((answer) =>
        answer.body?.getReader().read(),
      )
    )?.value;
    expect(Buffer.from(events ?? []).toString()).toMatch(/"reason":"(?:READONLY|OOM|MISCONF|LOADING|NOPERM) /);
  });
});

it('a node that is full for further connections goes on serving those that it has', { timeout: 30_000 }, async () => {
  const redis = await startRedis({ args: ['--maxclients', '8'] });
  const config = 'node-connections: 1\n';
  const proxy = await startRingproxy({ nodes: [redis], config, allowLog: NODE_TROUBLE });
  const client = await RawClient.connect(proxy.port);
  expect(await client.text('SET', 'a', '1')).toBe('+OK\r\n');
  await expect.poll(() => nodeOf(proxy)).toMatchObject({ keys: expect.any(Number) });
  // Every other connection that the node allows is taken.
  for (;;) {
    const other = await RawClient.connect(redis.port);
    if ((await other.text('PING').catch(() => '')) !== '+PONG\r\n') break;
  }
  const elsewhere = await RawClient.connect(proxy.port);
  await elsewhere.command('SELECT', '5');
  expect(await elsewhere.text('GET', 'a')).toMatch(/^-ERR node node1 \(\S+\) refused the connection: ERR max number/);
  expect(await client.text('GET', 'a')).toBe('$1\r\n1\r\n');
  const another = await RawClient.connect(proxy.port);
  expect(await another.text('GET', 'a')).toBe('$1\r\n1\r\n');
});

it('admission and moves are told, too', async () => {
  const redis = await startRedis({ args: ['--maxclients', '2'] });
  await occupy(redis, 2);
  const node = { name: 'n', address: redis.address, username: '', password: '' };
  await expect(inspectNode(node, 1000)).rejects.toThrow(FULL);
  const options = { pass: () => readsOnly('test'), connectTimeout: 1000, timeout: 1000, onLate: () => {} };
  await expect(NodeLink.open(node, options)).rejects.toThrow(FULL);
});
