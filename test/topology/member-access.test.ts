/** Nodes with a login and a peer address of their own, which join while the proxy runs. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { fill, post, ringOf, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const SECRET = 'hunter2';
const KEYS = 2000;
const LARGE = 12;
/** Above 1 MB, at nodes that do not let it be read in pieces: it goes by MIGRATE, for which its source connects to its target. */
const LARGE_VALUE = Buffer.alloc(1_500_000, 'x');
const LOGIN = { username: 'app', password: SECRET };
const EXPECTED = [/the ring that exists wins/, /upstream:down/, /node:health/];

/** The proxy reaches it by a Unix socket alone; other nodes, which cannot, by its port. */
async function lockedNode(): Promise<{ redis: RedisProcess; path: string; client: Redis }> {
  const path = join(tempFolder('socket'), 'redis.sock');
  const user = ['--user', 'app', 'on', `>${SECRET}`, '~*', '&*', '+@all'];
  const redis = await startRedis({ args: ['--unixsocket', path, ...user, '--user', 'default', 'off'] });
  return { redis, path, client: redis.client(LOGIN) };
}

async function migrations(node: RedisProcess): Promise<number> {
  return Number(/cmdstat_migrate:calls=(\d+)/.exec(await node.client().info('commandstats'))?.[1] ?? 0);
}

/** Everything that the proxy shows of the ring by its admin API. */
async function shown(proxy: RingproxyProcess): Promise<string> {
  const paths = ['v1/ring', 'v1/ring/history', 'v1/stats', 'v1/proxies', 'metrics', 'v1/ring/which?key=a'];
  const answers = await Promise.all(paths.map(async (path) => (await fetch(`${proxy.admin}/${path}`)).text()));
  return answers.join('\n');
}

/** What `/v1/events` tells from now on. */
async function listen(proxy: RingproxyProcess): Promise<() => string> {
  const end = new AbortController();
  const answer = await fetch(`${proxy.admin}/v1/events`, { signal: end.signal });
  let text = '';
  void (async () => {
    for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => {});
  return () => {
    end.abort();
    return text;
  };
}

async function expectAll(proxy: RingproxyProcess): Promise<void> {
  const client = proxy.client();
  const values = await client.mget(...Array.from({ length: KEYS }, (_, i) => `filler:${i}`));
  expect(values).toEqual(Array.from({ length: KEYS }, (_, i) => `value of ${i}`));
  for (let i = 0; i < LARGE; i++) expect(await client.strlen(`large:${i}`)).toBe(LARGE_VALUE.length);
}

describe.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
])('a node with a login of its own joins a running proxy (%s)', (_title, args) => {
  it('and is known after a restart in the middle; nobody is shown its password', { timeout: 180_000 }, async () => {
    const directory = tempFolder('state');
    const nodes = await startRedises(2, { args: ['--rename-command', 'GETRANGE', ''] });
    const { redis, path, client: locked } = await lockedNode();
    const peerAddress = redis.address;
    const start = (): Promise<RingproxyProcess> =>
      startRingproxy({ nodes, args: ['--state-dir', directory, ...args], allowLog: EXPECTED });
    const first = await start();
    await fill(first, KEYS);
    for (let i = 0; i < LARGE; i++) await first.client().set(`large:${i}`, LARGE_VALUE);
    const events = await listen(first);
    const node = { name: 'node3', address: path, ...LOGIN, peerAddress };
    await expect(post(first, 'changes', { kind: 'add', add: [{ ...node, password: 'wrong' }] })).rejects.toThrow(
      /NODE_UNREACHABLE.*WRONGPASS/,
    );
    await post(first, 'changes', { kind: 'add', add: [node], throttle: 300 });
    await expect.poll(async () => (await ringOf(first)).change?.keysMoved ?? 0).toBeGreaterThan(50);
    const told = [await shown(first), events(), JSON.stringify(first.log)];
    first.kill('SIGKILL');

    const second = await start();
    // Keys move on once the nodes have dropped the connections of the proxy before.
    const hurried = (): Promise<string> =>
      post(second, 'changes/current/throttle', { keysPerSecond: 0 }).then(() => 'hurried', String);
    await expect.poll(hurried, { timeout: 20_000 }).toBe('hurried');
    await settled(second);
    expect(await locked.dbsize()).toBeGreaterThan(KEYS / 6);
    const [ofFirst = 0, ofSecond = 0] = await Promise.all(nodes.map(migrations));
    expect(ofFirst + ofSecond).toBeGreaterThan(0);
    await expectAll(second);
    told.push(await shown(second), JSON.stringify(second.log));
    await second.stop();

    const file = join(directory, 'ring.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(SECRET);
    const third = await start();
    await expectAll(third);
    await post(third, 'changes', { kind: 'remove', remove: ['node3'] });
    await settled(third);
    expect(await locked.dbsize()).toBe(0);
    await expectAll(third);
    expect(readFileSync(file, 'utf8')).not.toContain(SECRET);
    told.push(await shown(third), JSON.stringify(third.log));
    expect(told.join('\n')).toContain('node3');
    expect(told.join('\n')).not.toContain(SECRET);
  });
});

it('a server that takes its place keeps its login, and not its peer address', { timeout: 180_000 }, async () => {
  const nodes = await startRedises(1);
  const [before, after] = [await lockedNode(), await lockedNode()];
  const proxy = await startRingproxy({ nodes, allowLog: EXPECTED });
  const peerAddress = before.redis.address;
  await post(proxy, 'changes', { kind: 'add', add: [{ name: 'node2', address: before.path, ...LOGIN, peerAddress }] });
  await settled(proxy);
  await fill(proxy, KEYS);
  for (let i = 0; i < LARGE; i++) await proxy.client().set(`large:${i}`, LARGE_VALUE);
  // Nodes cannot connect to it by its Unix socket: its large keys go through the proxy.
  await post(proxy, 'changes', { kind: 'replace', replace: [{ name: 'node2', address: after.path }] });
  await settled(proxy);
  expect(await before.client.dbsize()).toBe(0);
  expect(await after.client.dbsize()).toBeGreaterThan(KEYS / 3);
  await expectAll(proxy);
});

it('a peer address is refused that no node can connect to', async () => {
  const proxy = await startRingproxy({ nodes: await startRedises(1) });
  const add = [{ name: 'n', address: '127.0.0.1:1', peerAddress: '/run/redis.sock' }];
  await expect(post(proxy, 'changes', { kind: 'add', add })).rejects.toThrow(/BAD_ADDRESS/);
});
