import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import type { StatsView } from '../../../../src/admin/api.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

async function stage(
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<{ proxy: RingproxyProcess; nodes: RedisProcess[] }> {
  const nodes = await startRedises(3);
  return { nodes, proxy: await startRingproxy({ nodes, env, args }) };
}

/** A client that speaks RESP3 and tracks with these options. */
async function tracker(port: number, ...options: string[]): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.command('HELLO', '3');
  expect(await client.text('CLIENT', 'TRACKING', 'ON', ...options)).toBe('+OK\r\n');
  return client;
}

const told = (...keys: string[]): string =>
  `>2\r\n$10\r\ninvalidate\r\n*${keys.length}\r\n${keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('')}`;
const FORGET = '>2\r\n$10\r\ninvalidate\r\n_\r\n';
const next = async (client: RawClient, count = 1): Promise<string[]> =>
  (await client.replies(count)).map((reply) => reply.toString('latin1'));
/** What the client was told until now, without what it asked for. */
async function nothingElse(client: RawClient): Promise<void> {
  expect(await client.text('PING')).toBe('+PONG\r\n');
}

describe('CLIENT TRACKING', () => {
  it('tells of keys that were read and have changed, once, wherever they are', async () => {
    const { proxy } = await stage();
    const client = await tracker(proxy.port);
    const writer = proxy.client();
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    await client.command('MGET', ...keys);
    for (const key of keys) await writer.set(key, '1');
    expect((await next(client, 20)).sort()).toEqual(keys.map((key) => told(key)).sort());
    // They were not read since, and these never were.
    await writer.mset(Object.fromEntries(keys.map((key) => [key, '2'])));
    await writer.set('other', '1');
    await client.command('GET', 'k3');
    await writer.del('k3');
    expect(await next(client)).toEqual([told('k3')]);
    await nothingElse(client);
    // Its own writes, too, and behind their replies.
    await client.command('GET', 'k4');
    expect(await client.text('SET', 'k4', 'x')).toBe('+OK\r\n');
    expect(await next(client)).toEqual([told('k4')]);
    await client.command('GET', 'k5');
    expect(await client.text('CLIENT', 'TRACKING', 'OFF')).toBe('+OK\r\n');
    await writer.set('k5', '9');
    await nothingElse(client);
  });

  it('tells of keys that a transaction has read, and of those that expire', async () => {
    const { proxy } = await stage();
    const client = await tracker(proxy.port);
    const writer = proxy.client();
    await client.pipeline([['MULTI'], ['GET', 'a'], ['SET', 'b{a}', '1'], ['EXEC']]);
    await writer.set('b{a}', '2');
    await writer.set('a', '1');
    expect(await next(client)).toEqual([told('a')]);
    await writer.set('e', 'x', 'PX', 20);
    await client.command('GET', 'e');
    expect(await next(client)).toEqual([told('e')]);
  });

  it('with OPTIN and OPTOUT it is CLIENT CACHING that decides', async () => {
    const { proxy } = await stage();
    const writer = proxy.client();
    const optIn = await tracker(proxy.port, 'OPTIN');
    await optIn.pipeline([
      ['GET', 'a'],
      ['CLIENT', 'CACHING', 'YES'],
      ['GET', 'b'],
      ['GET', 'c'],
    ]);
    await optIn.pipeline([['CLIENT', 'CACHING', 'YES'], ['MULTI'], ['GET', 'd'], ['GET', 'e{d}'], ['EXEC']]);
    for (const key of ['a', 'c', 'b', 'd', 'e{d}']) await writer.set(key, '1');
    expect((await next(optIn, 3)).sort()).toEqual([told('b'), told('d'), told('e{d}')].sort());
    await nothingElse(optIn);
    const optOut = await tracker(proxy.port, 'OPTOUT');
    await optOut.pipeline([
      ['CLIENT', 'CACHING', 'NO'],
      ['GET', 'a'],
      ['GET', 'b'],
    ]);
    for (const key of ['a', 'b']) await writer.set(key, '2');
    expect(await next(optOut)).toEqual([told('b')]);
    expect(await optOut.text('CLIENT', 'CACHING', 'YES')).toContain('only valid when tracking is enabled in OPTIN');
  });

  it('with BCAST it tells of every key with a prefix, and with NOLOOP not of own writes', async () => {
    const { proxy } = await stage();
    const writer = proxy.client();
    const all = await tracker(proxy.port, 'BCAST', 'NOLOOP');
    const prefixed = await tracker(proxy.port, 'BCAST', 'PREFIX', 'a:', 'PREFIX', 'b:');
    await writer.set('a:1', 'x');
    expect(await next(prefixed)).toEqual([told('a:1')]);
    expect(await next(all)).toEqual([told('a:1')]);
    await writer.set('c:1', 'x');
    expect(await next(all)).toEqual([told('c:1')]);
    await all.command('SET', 'b:2', 'x');
    expect(await next(prefixed)).toEqual([told('b:2')]);
    await writer.set('b:2', 'y');
    expect(await next(all)).toEqual([told('b:2')]);
    expect(await next(prefixed)).toEqual([told('b:2')]);
    // A write that fails is none: what was not told because of it is made good.
    expect(await all.text('INCR', 'b:2')).toMatch(/^-ERR value is not an integer/);
    expect(await next(all)).toEqual([FORGET]);
    expect(await prefixed.text('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'a:b')).toMatch(
      /^-ERR Prefix 'a:b' over/,
    );
    expect(await prefixed.text('CLIENT', 'TRACKING', 'ON')).toMatch(/^-ERR You can't switch BCAST mode/);
  });

  it.each(['1', '2'])('tells another client with REDIRECT, in RESP2 by a message; workers: %s', async (workers) => {
    const { proxy } = await stage({}, ['--workers', workers]);
    const writer = proxy.client();
    const [reader, other] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    const id = (await other.text('CLIENT', 'ID')).slice(1, -2);
    await other.command('SUBSCRIBE', '__redis__:invalidate');
    expect(await reader.text('CLIENT', 'TRACKING', 'ON', 'REDIRECT', '4711')).toMatch(/^-ERR The client ID you want/);
    expect(await reader.text('CLIENT', 'GETREDIR')).toBe(':-1\r\n');
    expect(await reader.text('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id)).toBe('+OK\r\n');
    expect(await reader.text('CLIENT', 'GETREDIR')).toBe(`:${id}\r\n`);
    await reader.command('GET', 'k');
    await writer.set('k', '1');
    const message = '*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n';
    expect(await next(other)).toEqual([`${message}*1\r\n$1\r\nk\r\n`]);
    await reader.command('GET', 'k');
    await writer.flushall();
    expect(await next(other)).toEqual([`${message}*-1\r\n`]);
  });

  it.each(['1', '2'])(
    'tells a client that the one which was to be told in its place is gone; workers: %s',
    async (workers) => {
      const { proxy } = await stage({}, ['--workers', workers]);
      const writer = proxy.client();
      const [reader, other] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
      const id = (await other.text('CLIENT', 'ID')).slice(1, -2);
      await reader.command('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id);
      await reader.command('HELLO', '3');
      await reader.command('GET', 'k');
      await writer.call('CLIENT', 'KILL', 'ID', id);
      await other.closed;
      await writer.set('k', '2');
      expect(await next(reader)).toEqual([`>2\r\n$21\r\ntracking-redir-broken\r\n:${id}\r\n`]);
      expect(await reader.text('CLIENT', 'TRACKINGINFO')).toContain('broken_redirect');
      expect(await reader.text('CLIENT', 'LIST')).toMatch(/flags=tR .*redir=\d/);
    },
  );

  it('a worker that is stalled is not taken for one without the client that is to be told', async () => {
    const { proxy } = await stage({}, ['--workers', '2']);
    const workers = async (): Promise<StatsView['workers']> => {
      const response = await fetch(`${proxy.admin}/v1/stats`);
      return ((await response.json()) as StatsView).workers;
    };
    const counts = async (): Promise<number[]> => (await workers()).map(({ clients }) => clients);
    const reader = await RawClient.connect(proxy.port);
    await expect.poll(async () => (await counts()).sort()).toEqual([0, 1]);
    const readers = (await workers()).find(({ clients }) => clients === 1)?.pid;
    const other = await RawClient.connect(proxy.port);
    await expect.poll(counts).toEqual([1, 1]);
    const pid = (await workers()).find((worker) => worker.pid !== readers)?.pid ?? 0;
    const id = (await other.text('CLIENT', 'ID')).slice(1, -2);
    await other.command('HELLO', '3');
    await reader.command('HELLO', '3');
    expect(await reader.text('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id)).toBe('+OK\r\n');
    process.kill(pid, 'SIGSTOP');
    try {
      await reader.command('GET', 'k');
      await reader.command('SET', 'k', '1');
      // Asks the other worker, too, and waits for as long.
      expect(await reader.text('CLIENT', 'LIST')).toMatch(/^=\d+\r\ntxt:/);
      expect(await reader.text('CLIENT', 'TRACKINGINFO')).not.toContain('broken_redirect');
      expect(await reader.text('CLIENT', 'TRACKING', 'ON', 'REDIRECT', '4711')).toMatch(/^-TRYAGAIN a worker /);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await next(other)).toEqual([told('k')]);
    await nothingElse(reader);
  });

  it('tells to forget everything when everything is flushed, a node is lost, or keys move', async () => {
    const { proxy, nodes } = await stage();
    const client = await tracker(proxy.port);
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);
    await client.command('MGET', ...keys);
    await proxy.client().flushall();
    expect(await next(client)).toEqual([FORGET]);
    await client.command('MGET', ...keys);
    proxy.allowLog(/node2/);
    await nodes[1]?.stop();
    expect(await next(client)).toEqual([FORGET]);
    // What cannot be listened to is told behind its reply; what can is kept.
    const replies = await client.pipeline(keys.map((key) => ['GET', key]));
    const down = replies.filter((reply) => reply.toString().startsWith('-NODEDOWN'));
    expect(down.length).toBeGreaterThan(0);
  });

  it('the table of keys is bounded: the oldest key makes room and is told', async () => {
    const { proxy } = await stage({ RINGPROXY_TRACKING_TABLE_MAX_KEYS: '2' }, ['--admin-commands', 'allow']);
    const client = await tracker(proxy.port);
    const replies = await client.pipeline([
      ['GET', 'a'],
      ['GET', 'b'],
      ['GET', 'c'],
    ]);
    expect(replies).toHaveLength(3);
    expect(await next(client)).toEqual([told('a')]);
    expect(await proxy.client().info('stats')).toContain('tracking_total_keys:2');
    expect(await proxy.client().config('SET', 'tracking-table-max-keys', '1')).toBe('OK');
    expect(await next(client)).toEqual([told('b')]);
  });

  it('its bound is that of a CONFIG SET that the nodes have accepted, also in a transaction', async () => {
    const { proxy } = await stage({ RINGPROXY_TRACKING_TABLE_MAX_KEYS: '2' }, ['--admin-commands', 'allow']);
    const client = await tracker(proxy.port);
    await client.pipeline([
      ['GET', 'a'],
      ['GET', 'b'],
    ]);
    const admin = proxy.client();
    await expect(admin.config('SET', 'tracking-table-max-keys', '1', 'no-such-setting', '1')).rejects.toThrow(
      /Unknown/,
    );
    await nothingElse(client);
    const discarded = admin.multi().call('CONFIG', 'SET', 'tracking-table-max-keys', '1').call('NOSUCH');
    await expect(discarded.exec()).rejects.toThrow(/EXECABORT/);
    await nothingElse(client);
    await admin.multi().call('CONFIG', 'SET', 'tracking-table-max-keys', '1').exec();
    expect(await next(client)).toEqual([told('a')]);
    await nothingElse(client);
  });
});

it('answers as Redis does', async () => {
  const redis = await startRedis();
  const proxy = await startRingproxy({ nodes: [redis] });
  const talk = async (port: number): Promise<string[]> => {
    const client = await RawClient.connect(port);
    const commands = [
      ...['CLIENT TRACKINGINFO', 'CLIENT CACHING YES', 'CLIENT TRACKING maybe', 'CLIENT TRACKING ON WHAT'],
      ...['CLIENT TRACKING ON PREFIX a', 'CLIENT TRACKING ON OPTIN OPTOUT', 'CLIENT TRACKING ON BCAST OPTIN'],
      ...[
        'CLIENT TRACKING ON OPTIN',
        'CLIENT CACHING YES',
        'CLIENT TRACKINGINFO',
        'CLIENT CACHING NO',
        'CLIENT CACHING x',
      ],
      ...['CLIENT TRACKING ON OPTOUT', 'CLIENT TRACKING OFF', 'CLIENT TRACKING ON REDIRECT x', 'CLIENT TRACKING'],
      ...['CLIENT TRACKING ON BCAST PREFIX b PREFIX a NOLOOP', 'CLIENT TRACKINGINFO', 'CLIENT GETREDIR'],
      ...[
        'CLIENT TRACKING ON BCAST PREFIX ab',
        'CLIENT TRACKING ON BCAST',
        'CLIENT TRACKINGINFO',
        'CLIENT TRACKING ON BCAST PREFIX c PREFIX cd',
        'CLIENT TRACKING ON',
      ],
      ...[
        'RESET',
        'CLIENT TRACKINGINFO',
        'CLIENT TRACKING ON REDIRECT 0',
        'CLIENT TRACKINGINFO',
        'CLIENT TRACKING OFF BCAST',
      ],
    ];
    const answers: string[] = [];
    for (const command of commands) answers.push(`${command} → ${await client.text(...command.split(' '))}`);
    return answers;
  };
  expect(await talk(proxy.port)).toEqual(await talk(redis.port));
});

it("node-redis' own cache of a client is kept right", async () => {
  const { proxy } = await stage();
  const client = createClient({
    url: `redis://127.0.0.1:${proxy.port}`,
    RESP: 3,
    clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' },
  });
  client.on('error', () => {});
  atEnd(() => client.destroy());
  await client.connect();
  const writer = proxy.client();
  await writer.set('k', '1');
  expect(await client.get('k')).toBe('1');
  const asked = async (): Promise<number> =>
    Number(/cmdstat_get:calls=(\d+)/.exec(await writer.info('commandstats'))?.[1] ?? 0);
  const before = await asked();
  // From its memory.
  for (let i = 0; i < 10; i++) expect(await client.get('k')).toBe('1');
  expect(await asked()).toBe(before);
  await writer.set('k', '2');
  while ((await client.get('k')) !== '2') await new Promise(setImmediate);
  await writer.flushall();
  while ((await client.get('k')) !== null) await new Promise(setImmediate);
});
