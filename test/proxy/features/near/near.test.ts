/** `cache: near` in a real proxy: what is answered from the proxy, and what ends that. */
import { describe, expect, it } from 'vitest';
import { request } from '../../../../src/resp/encode.js';
import { type LateFeeds, startLateFeeds } from '../../../support/late-feeds.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis } from '../../../support/redis-process.js';
import { add, fill, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { scrape } from '../../../support/series.js';

const CONFIG = `
key-groups:
  pages: { prefixes: ["page:", "html:"], cache: near, near-ttl: 1m }
  plain: "plain:"
`;

interface Stage {
  readonly node: RedisProcess;
  readonly feeds: LateFeeds;
  readonly proxy: RingproxyProcess;
  readonly client: RawClient;
}

async function start(args: readonly string[] = []): Promise<Stage> {
  const node = await startRedis();
  const feeds = await startLateFeeds(node.port, 0, () => 0);
  const proxy = await startRingproxy({ nodes: [feeds], config: CONFIG, args });
  return { node, feeds, proxy, client: await RawClient.connect(proxy.port) };
}

/** Reads that were answered from the proxy. */
async function hits(proxy: RingproxyProcess): Promise<number> {
  return (await scrape(proxy.admin)).get('ringproxy_near_requests_total{group="pages",result="hit"}') ?? 0;
}

/** Sends the command until it is answered from the proxy. @returns that answer */
async function untilKept({ proxy, client }: Stage, ...words: string[]): Promise<string> {
  for (const before = await hits(proxy); ; ) {
    const reply = await client.text(...words);
    if ((await hits(proxy)) > before) return reply;
  }
}

const ERROR_BYTE = 0x2d;
const OWN_WRITES = [
  ['SET', 'page:1', 'two'],
  ['APPEND', 'page:1', 'x'],
  ['MSET', 'page:2', 'x', 'page:1', 'two'],
  ['EVAL', 'return redis.call("SET", KEYS[1], "two")', '1', 'page:1'],
  ['EVAL', 'return redis.call("SET", "page:1", "two")', '0'],
  ['RENAME', 'page:2', 'page:1'],
  ['COPY', 'page:2', 'page:1', 'REPLACE'],
  ['SORT', 'page:list', 'BY', 'nosort', 'STORE', 'page:1'],
  ['DEL', 'page:1', 'page:3'],
  ['FLUSHALL'],
  ['MOVE', 'page:1', '3'],
  ['SET', 'page:1', 'x'.repeat(400_000)],
] as const;

/** Commands without keys that tell which keys there are. */
const TELLING = [
  ['KEYS', 'page:*'],
  ['SCAN', '0', 'COUNT', '1000'],
  ['DBSIZE'],
  ['RANDOMKEY'],
  ['EVAL_RO', 'return redis.call("GET", "page:1")', '0'],
] as const;

/** Keys that take their time to move. */
const FILLERS = 5000;

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

describe('a read', () => {
  it('is answered from the proxy once it has come twice, until somebody changes the key', async () => {
    const stage = await start();
    const { node, proxy, client } = stage;
    await client.command('SET', 'page:1', 'one');
    expect(await untilKept(stage, 'GET', 'page:1')).toBe(bulk('one'));
    const before = await hits(proxy);
    for (let i = 0; i < 10; i++) expect(await client.text('get', 'page:1')).toBe(bulk('one'));
    expect(await hits(proxy)).toBe(before + 10);
    // Past the proxy.
    await node.client().set('page:1', 'two');
    while ((await client.text('GET', 'page:1')) !== bulk('two'));
    await client.pipeline([
      ['SET', 'plain:1', 'x'],
      ['GET', 'plain:1'],
      ['GET', 'plain:1'],
      ['GET', 'plain:1'],
    ]);
    const series = await scrape(proxy.admin);
    expect(series.get('ringproxy_near_requests_total{group="plain",result="hit"}')).toBe(0);
    expect(series.get('ringproxy_near_requests_total{group="plain",result="miss"}')).toBe(0);
  });

  it('of several keys is made of what is kept of each, by protocol and database', async () => {
    const stage = await start();
    const { proxy, client } = stage;
    await client.command('MSET', 'page:1', 'one', 'page:2', 'two');
    expect(await untilKept(stage, 'MGET', 'page:1', 'page:none', 'page:2')).toBe(
      `*3\r\n${bulk('one')}$-1\r\n${bulk('two')}`,
    );
    const before = await hits(proxy);
    expect(await client.text('GET', 'page:2')).toBe(bulk('two'));
    expect(await hits(proxy)).toBe(before + 1);
    await client.command('HELLO', '3');
    expect(await untilKept(stage, 'MGET', 'page:1', 'page:none')).toBe(`*2\r\n${bulk('one')}_\r\n`);
    await client.command('SELECT', '1');
    expect(await client.text('GET', 'page:1')).toBe('_\r\n');
    expect(await untilKept(stage, 'GET', 'page:1')).toBe('_\r\n');
  });

  it('in one piece with others is answered as each is by itself, and counted so', async () => {
    const stage = await start();
    const { node, proxy, client } = stage;
    const long = `page:${'k'.repeat(120)}`;
    const keys = ['page:1', 'page:22', 'html:1', 'page:none', long];
    for (const key of keys) {
      if (key !== 'page:none') await client.command('SET', key, `value of ${key}`.repeat(key === 'html:1' ? 20 : 1));
      await untilKept(stage, 'GET', key);
    }
    await client.command('SET', 'plain:1', 'plain');
    const plain = await RawClient.connect(node.port);
    // So many at once that not each of them is drawn to find hot keys: those that are go the usual way.
    const run = Array.from({ length: 800 }, () => keys.map((key) => ['GET', key])).flat();
    const some = run.slice(0, 10);
    const pieces: readonly (readonly string[])[][] = [
      run,
      [
        ...run,
        ['GET', 'plain:1'],
        ...run,
        ['get', 'page:1'],
        ['GETRANGE', 'page:1', '0', '3'],
        ['STRLEN', 'page:1'],
        ...run,
      ],
      [...run, ['GET'], ['GET', 'page:1', 'page:1'], ...run, ['NOSUCH', 'page:1'], ...run],
    ];
    for (const piece of pieces) {
      const wanted = (await plain.pipeline(piece)).map(String);
      for (const key of keys) await untilKept(stage, 'GET', key);
      expect((await client.pipeline(piece)).map(String)).toEqual(wanted);
    }
    // What was written between two reads is seen by the second one.
    const around = [
      ['GET', 'page:1'],
      ['GET', 'page:22'],
      ['SET', 'page:22', 'two'],
      ['GET', 'page:22'],
    ];
    const [one, old, , written] = (await client.pipeline(around)).map(String);
    expect([one, old, written]).toEqual([bulk('value of page:1'), bulk('value of page:22'), bulk('two')]);
    for (const key of keys) await untilKept(stage, 'GET', key);
    const before = await scrape(proxy.admin);
    await client.pipeline(run);
    const behind = await scrape(proxy.admin);
    const more = (series: string): number => (behind.get(series) ?? 0) - (before.get(series) ?? 0);
    expect(more('ringproxy_near_requests_total{group="pages",result="hit"}')).toBe(run.length);
    expect(more('ringproxy_commands_total{command="get",outcome="ok"}')).toBe(run.length);
    expect(more('ringproxy_key_group_commands_total{group="pages",outcome="ok"}')).toBe(run.length);
    expect(more('ringproxy_key_group_cache_requests_total{group="pages",result="hit"}')).toBe(run.length - 800);
    expect(more('ringproxy_key_group_cache_requests_total{group="pages",result="miss"}')).toBe(800);
    // Frames that are cut anywhere, and replies that nobody wants.
    const frames = Buffer.concat(some.map((words) => request(words)));
    const wanted = (await plain.pipeline(some)).map(String);
    for (let cut = 1; cut < frames.length; cut += 7) {
      client.send(frames.subarray(0, cut));
      client.send(frames.subarray(cut));
      expect((await client.replies(some.length)).map(String)).toEqual(wanted);
    }
    const silent = [
      ['CLIENT', 'REPLY', 'SKIP'],
      ['GET', 'page:1'],
      ['GET', 'html:1'],
      ['CLIENT', 'REPLY', 'OFF'],
      ...some,
    ];
    client.send(Buffer.concat([...silent, ['CLIENT', 'REPLY', 'ON']].map((words) => request(words))));
    expect((await client.replies(2)).map(String)).toEqual([bulk('value of html:1'.repeat(20)), '+OK\r\n']);
  });

  it('is over with the time to live of its key, and with a shorter one that it is given', async () => {
    const stage = await start();
    const { client } = stage;
    await client.command('SET', 'page:1', 'one', 'PX', '400');
    const until = performance.now() + 403;
    await untilKept(stage, 'GET', 'page:1');
    while (performance.now() < until) await client.command('GET', 'page:1');
    expect(await client.text('GET', 'page:1')).toBe('$-1\r\n');
    await client.command('SET', 'page:1', 'two');
    await untilKept(stage, 'GET', 'page:1');
    await client.command('PEXPIRE', 'page:1', '1');
    const gone = performance.now() + 4;
    while (performance.now() < gone) await client.command('PING');
    expect(await client.text('GET', 'page:1')).toBe('$-1\r\n');
  });

  it('of a client that watches, tracks or is in a transaction is answered by the node', async () => {
    const stage = await start();
    const { feeds, node, proxy, client } = stage;
    await client.command('SET', 'page:1', 'one');
    const [watching, tracking, queueing] = await Promise.all([1, 2, 3].map(() => RawClient.connect(proxy.port)));
    if (watching === undefined || tracking === undefined || queueing === undefined) throw new Error('no client');
    await tracking.command('HELLO', '3');
    await tracking.command('CLIENT', 'TRACKING', 'ON');
    await watching.command('WATCH', 'page:other');
    await untilKept(stage, 'GET', 'page:1');
    feeds.hold();
    await node.client().set('page:1', 'two');
    expect(await watching.text('GET', 'page:1')).toBe(bulk('two'));
    expect((await tracking.text('GET', 'page:1')).slice(0, 9)).toBe(bulk('two').slice(0, 9));
    expect((await queueing.pipeline([['MULTI'], ['GET', 'page:1'], ['EXEC']])).at(-1)?.toString()).toBe(
      `*1\r\n${bulk('two')}`,
    );
    feeds.release();
  });
});

it('a reply that a change of its key has overtaken is not kept, though nobody changes the key again', async () => {
  const stage = await start();
  const { node, feeds, proxy, client } = stage;
  const other = node.client();
  const invalidations = async (): Promise<number> =>
    (await scrape(proxy.admin)).get('ringproxy_near_invalidations_total') ?? 0;
  await client.command('SET', 'page:1', 'one');
  // The second read of it is the one that is kept, were it not overtaken.
  await client.command('GET', 'page:1');
  const before = await invalidations();
  feeds.holdReplies();
  const late = client.text('GET', 'page:1');
  // The node has answered, and then the key changes, and that is heard first.
  await expect.poll(async () => /cmdstat_get:calls=2/.test(await other.info('commandstats'))).toBe(true);
  await other.set('page:1', 'two');
  await expect.poll(invalidations).toBeGreaterThan(before);
  feeds.release();
  expect(await late).toBe(bulk('one'));
  expect(await untilKept(stage, 'GET', 'page:1')).toBe(bulk('two'));
});

describe('while nothing is told of changed keys', () => {
  it('what was read is kept and not served: it may be overtaken by a change', async () => {
    const stage = await start();
    const { feeds, proxy, client } = stage;
    await client.command('SET', 'page:1', 'one');
    await untilKept(stage, 'GET', 'page:1');
    await client.command('SET', 'page:2', 'two');
    feeds.hold();
    const before = await hits(proxy);
    for (let i = 0; i < 5; i++) expect(await client.text('GET', 'page:2')).toBe(bulk('two'));
    expect(await hits(proxy)).toBe(before);
    feeds.release();
    await untilKept(stage, 'GET', 'page:2');
  });

  it('a client reads its own writes, of whatever kind', async () => {
    const stage = await start();
    const { feeds, client } = stage;
    for (const words of OWN_WRITES) {
      await client.pipeline([
        ['DEL', 'page:list'],
        ['MSET', 'page:1', 'one', 'page:2', 'two'],
        ['RPUSH', 'page:list', '1'],
      ]);
      await untilKept(stage, 'GET', 'page:1');
      feeds.hold();
      const [written, behind] = await client.pipeline([words, ['GET', 'page:1']]);
      expect(written?.[0], words[0]).not.toBe(ERROR_BYTE);
      expect(behind?.toString(), words[0]).not.toBe(bulk('one'));
      expect(await client.text('GET', 'page:1'), words[0]).toBe(behind?.toString());
      feeds.release();
    }
  });

  it('what is kept is sure for whoever has read the same from the node, and not for whoever has read more', async () => {
    const stage = await start();
    const { feeds, node, proxy, client } = stage;
    const reader = await RawClient.connect(proxy.port);
    await client.command('SET', 'page:1', 'one');
    // A node that is busy for long is not trusted, and nothing is served then: until it is heard in time.
    for (;;) {
      await untilKept(stage, 'GET', 'page:1');
      feeds.hold();
      const [, same] = await reader.pipeline([['WATCH', 'other'], ['GET', 'page:1'], ['UNWATCH']]);
      expect(same?.toString()).toBe(bulk('one'));
      const before = await hits(proxy);
      expect(await reader.text('GET', 'page:1')).toBe(bulk('one'));
      if ((await hits(proxy)) > before) break;
      feeds.release();
    }
    await node.client().set('page:1', 'two');
    const [, later, , behind] = await reader.pipeline([
      ['WATCH', 'other'],
      ['GET', 'page:1'],
      ['UNWATCH'],
      ['GET', 'page:1'],
    ]);
    expect(later?.toString()).toBe(bulk('two'));
    expect(behind?.toString()).toBe(bulk('two'));
    expect(await reader.text('GET', 'page:1')).toBe(bulk('two'));
    expect(await client.text('GET', 'page:1')).toBe(bulk('two'));
    feeds.release();
  });

  it('who was told of a key by a command without keys reads it, though it is kept that there is none', async () => {
    const stage = await start();
    const { feeds, node, client } = stage;
    const reader = await RawClient.connect(stage.proxy.port);
    for (const words of TELLING) {
      await client.command('DEL', 'page:1');
      expect(await untilKept(stage, 'GET', 'page:1')).toBe('$-1\r\n');
      feeds.hold();
      await node.client().set('page:1', 'one');
      const [told, behind] = await reader.pipeline([words, ['GET', 'page:1']]);
      expect(told?.toString(), words[0]).toMatch(/page:1|:1|one/);
      expect(behind?.toString(), words[0]).toBe(bulk('one'));
      expect(await reader.text('GET', 'page:1'), words[0]).toBe(bulk('one'));
      feeds.release();
      expect(await untilKept(stage, 'GET', 'page:1'), words[0]).toBe(bulk('one'));
    }
  });

  it('for long, nothing is served', { timeout: 20_000 }, async () => {
    const stage = await start();
    const { feeds, node, client } = stage;
    await client.command('SET', 'page:1', 'one');
    await untilKept(stage, 'GET', 'page:1');
    feeds.hold();
    await node.client().set('page:1', 'two');
    const since = performance.now();
    while ((await client.text('GET', 'page:1')) !== bulk('two'));
    // It was told 2 s ago at most, and nothing since.
    expect(performance.now() - since).toBeLessThan(10_000);
    feeds.release();
  });
});

it('FLUSHALL at one worker is heard by the other, and ends what it keeps', async () => {
  const { proxy } = await start(['--workers', '2']);
  const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(proxy.port)));
  const [first] = clients;
  if (first === undefined) throw new Error('no client');
  await first.command('SET', 'page:1', 'one');
  while ((await hits(proxy)) < 50) {
    for (const client of clients) expect(await client.text('GET', 'page:1')).toBe(bulk('one'));
  }
  await first.command('FLUSHALL');
  expect(await first.text('GET', 'page:1')).toBe('$-1\r\n');
  for (const client of clients) while ((await client.text('GET', 'page:1')) !== '$-1\r\n');
});

it('keys that change hands are answered by nodes, though nobody has changed them', async () => {
  const [former, later] = await Promise.all([startRedis(), startRedis()]);
  const proxy = await startRingproxy({ nodes: [former], config: CONFIG });
  const client = await RawClient.connect(proxy.port);
  await fill(proxy, FILLERS);
  const keys = Array.from({ length: 40 }, (_, i) => `page:${i}`);
  await client.command('MSET', ...keys.flatMap((key) => [key, 'one']));
  const readAll = async (): Promise<number> => {
    const before = await hits(proxy);
    await client.pipeline(keys.map((key) => ['GET', key]));
    return (await hits(proxy)) - before;
  };
  while ((await readAll()) < keys.length);
  await post(proxy, 'changes', add('later', later));
  await post(proxy, 'changes/current/pause');
  const inChange = await readAll();
  await post(proxy, 'changes/current/resume');
  await settled(proxy);
  const moved = await later.client().keys('page:*');
  expect(moved.length).toBeGreaterThan(0);
  expect(inChange).toBeLessThanOrEqual(keys.length - moved.length);
  while ((await readAll()) < keys.length);
});
