/** Commands while keys move: what a single Redis answers, whichever node has the key. */
import { describe, expect, it } from 'vitest';
import { buildCommandTable } from '../../src/commands/build.js';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

/** A change from one node to two that is paused before it has moved much. */
async function pausedChange(keys: number): Promise<RingproxyProcess> {
  const [first, second] = await startRedises(2);
  const proxy = await startRingproxy({ nodes: [first as NonNullable<typeof first>] });
  await fill(proxy, keys);
  await post(proxy, 'changes', add('node2', second));
  await post(proxy, 'changes/current/pause');
  return proxy;
}

/** Keys of the wanted number that move, and have not moved yet. */
async function movingKeys(proxy: RingproxyProcess, count: number): Promise<string[]> {
  const keys = Array.from({ length: count * 20 }, (_, i) => `m:${i}`);
  const query = keys.map((key) => `key=${key}`).join('&');
  const rows = (await (await fetch(`${proxy.admin}/v1/ring/which?${query}`)).json()) as { nextNode: string | null }[];
  return keys.filter((_, i) => rows[i]?.nextNode === 'node2').slice(0, count);
}

/** A key of each type, and edge cases whose replies look like those of a missing key. */
function writes(key: (suffix: string) => string): string[][] {
  return [
    ['SET', key('string'), 'hello'],
    ['SET', key('empty'), ''],
    ['SET', key('volatile'), 'x', 'EX', '1000'],
    ['RPUSH', key('list'), 'a', '', 'c'],
    ['HSET', key('hash'), 'f', 'v', 'empty', ''],
    ['SADD', key('set'), 'm'],
    ['ZADD', key('zset'), '0', 'first', '1', 'second'],
    ['XADD', key('stream'), '1-1', 'f', 'v'],
  ];
}

/** Each read that may be asked of a source, on each of these keys. */
function reads(key: string): string[][] {
  const withArguments: Readonly<Record<string, string[]>> = {
    getrange: ['0', '2'],
    substr: ['0', '2'],
    getbit: ['0'],
    hget: ['f'],
    hexists: ['f'],
    hstrlen: ['f'],
    lindex: ['1'],
    lrange: ['0', '-1'],
    sismember: ['m'],
    zcount: ['-inf', '+inf'],
    zlexcount: ['-', '+'],
    zscore: ['first'],
    zrank: ['first'],
    zrevrank: ['second'],
    zrange: ['0', '-1'],
    zrevrange: ['0', '-1'],
    zrangebyscore: ['-inf', '+inf'],
    zrevrangebyscore: ['+inf', '-inf'],
    zrangebylex: ['-', '+'],
    zrevrangebylex: ['+', '-'],
    xrange: ['-', '+'],
    xrevrange: ['+', '-'],
  };
  return [...buildCommandTable().rows()]
    .filter((row) => row.missingReply !== null)
    .map((row) => [row.name, key, ...(withArguments[row.name] ?? [])]);
}

describe('a read of a key that is moving', () => {
  for (const protocol of ['2', '3']) {
    it(`answers what a single Redis does, before and after the key has moved (RESP${protocol})`, async () => {
      const proxy = await pausedChange(2000);
      const single = await startRedis();
      const ours = await RawClient.connect(proxy.port);
      const theirs = await RawClient.connect(single.port);
      for (const client of [ours, theirs]) await client.command('HELLO', protocol);
      const names = ['string', 'empty', 'volatile', 'list', 'hash', 'set', 'zset', 'stream', 'missing'];
      const moving = await movingKeys(proxy, names.length);
      expect(moving).toHaveLength(names.length);
      const keyOf = (suffix: string): string => moving[names.indexOf(suffix)] ?? '';
      // A write settles its key: to find them on the source, they are written past the proxy.
      const source = await RawClient.connect(Number((await ringOf(proxy)).nodes[0]?.address.split(':')[1]));
      for (const write of writes(keyOf)) {
        await source.command(...write);
        await theirs.command(...write);
      }
      const commands = names.flatMap((name) => reads(keyOf(name)));
      const steady = (reply: Buffer): string =>
        reply.toString('latin1').replace(/^:(9\d\d|1000|9{2}\d{4}|1\d{12}|1\d{9})\r\n$/, ':ttl\r\n');
      const expected = (await theirs.pipeline(commands)).map(steady);
      // None has moved; then some have, between reads of one pipeline; then all have.
      for (const settleFirst of [0, 4, names.length]) {
        for (const key of moving.slice(0, settleFirst)) await ours.command('PERSIST', `${key}`).then(() => undefined);
        const wanted =
          settleFirst === 0 ? expected : (await persist(theirs, moving.slice(0, settleFirst), commands)).map(steady);
        const found = (await ours.pipeline(commands)).map(steady);
        expect(commands.map((words, i) => `${words.join(' ')} ${found[i]}`)).toEqual(
          commands.map((words, i) => `${words.join(' ')} ${wanted[i]}`),
        );
      }
    });
  }

  it('is not overtaken by what the same client sends behind it', async () => {
    const proxy = await pausedChange(2000);
    const client = await RawClient.connect(proxy.port);
    const source = await RawClient.connect(Number((await ringOf(proxy)).nodes[0]?.address.split(':')[1]));
    for (const key of await movingKeys(proxy, 200)) {
      await source.command('SET', key, 'old');
      const replies = await client.pipeline([
        ['GET', key],
        ['SET', key, 'new'],
        ['GET', key],
        ['DEL', key],
        ['GET', key],
        ['SET', key, 'last'],
        ['STRLEN', key],
      ]);
      expect(replies.map(String)).toEqual([
        '$3\r\nold\r\n',
        '+OK\r\n',
        '$3\r\nnew\r\n',
        ':1\r\n',
        '$-1\r\n',
        '+OK\r\n',
        ':4\r\n',
      ]);
    }
  });
});

async function persist(client: RawClient, keys: readonly string[], commands: string[][]): Promise<Buffer[]> {
  for (const key of keys) await client.command('PERSIST', key);
  return client.pipeline(commands);
}

describe('commands that look at all nodes, while keys move', () => {
  it('KEYS and DBSIZE see each key once', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 2) });
    const keys = 20_000;
    await fill(proxy, keys);
    const client = await RawClient.connect(proxy.port);
    await post(proxy, 'changes', add('node3', nodes[2]));
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 8000 });
    let looks = 0;
    while ((await ringOf(proxy)).change !== null) {
      expect(await client.text('DBSIZE')).toBe(`:${keys}\r\n`);
      const found = await proxy.client().keys('*');
      expect(found.length).toBe(keys);
      expect(new Set(found).size).toBe(keys);
      looks++;
    }
    expect(looks).toBeGreaterThan(3);
  });

  it.each([
    ['FLUSHALL', [['FLUSHALL']], 1],
    ['FLUSHALL in a transaction', [['MULTI'], ['FLUSHALL'], ['EXEC']], 1],
    ['FLUSHALL in a transaction of a worker', [['MULTI'], ['FLUSHALL'], ['EXEC']], 2],
  ])('%s leaves nothing behind, and nothing comes back', { timeout: 180_000 }, async (_title, commands, workers) => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 2), args: ['--workers', String(workers)] });
    await fill(proxy, 20_000);
    await post(proxy, 'changes', add('node3', nodes[2]));
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 5000 });
    await until(proxy, (view) => (view.change?.keysMoved ?? 0) > 500);
    const client = await RawClient.connect(proxy.port);
    expect((await client.pipeline(commands)).at(-1)?.toString()).toMatch(/^(\*1\r\n)?\+OK\r\n$/);
    expect(await client.text('DBSIZE')).toBe(':0\r\n');
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
    await settled(proxy);
    expect(await Promise.all(nodes.map((node) => node.client().dbsize()))).toEqual([0, 0, 0]);
  });
});

describe('a command that writes to another database', () => {
  it.each([
    ['COPY', (tag: string) => ['COPY', `{${tag}}a`, `{${tag}}b`, 'DB', '3']],
    ['MOVE', (tag: string) => ['MOVE', `{${tag}}b`, '3']],
  ])('%s finds the key that has not moved there yet', async (_name, words) => {
    const proxy = await pausedChange(20_000);
    const client = await RawClient.connect(proxy.port);
    const tags = await movingKeys(proxy, 20);
    // The keys are put back where they were before the change began, by those that write the moved ones.
    const old = await RawClient.connect(proxy.port);
    await old.command('SELECT', '3');
    for (const tag of tags) {
      expect(await old.text('SET', `{${tag}}b`, 'old')).toBe('+OK\r\n');
      await client.command('SET', `{${tag}}a`, 'new');
      await client.command('SET', `{${tag}}b`, 'new');
    }
    await post(proxy, 'changes/current/cancel');
    // On the way back all of them move, and none has yet.
    for (const tag of tags) {
      const queued = await client.pipeline([['MULTI'], words(tag), ['EXEC']]);
      expect(queued[2]?.toString()).toMatch(/^-TRYAGAIN|^\*1\r\n:0\r\n/);
      expect(await client.text(...words(tag))).toBe(':0\r\n');
      expect(await old.text('GET', `{${tag}}b`)).toBe('$3\r\nold\r\n');
    }
    await settled(proxy);
  });
});

describe('SORT while the ring changes', () => {
  it('finds what its patterns name, wherever that is now', async () => {
    const proxy = await pausedChange(20_000);
    const client = await RawClient.connect(proxy.port);
    const [tag = ''] = await movingKeys(proxy, 1);
    await client.command('RPUSH', `{${tag}}l`, '2', '1');
    expect(await client.text('SORT', `{${tag}}l`, 'GET', '#')).toBe('*2\r\n$1\r\n1\r\n$1\r\n2\r\n');
    await client.command('MSET', `{${tag}}w_1`, '9', `{${tag}}w_2`, '3');
    for (let i = 0; i < 3; i++) {
      expect(await client.text('SORT', `{${tag}}l`, 'BY', `{${tag}}w_*`)).toBe('*2\r\n$1\r\n2\r\n$1\r\n1\r\n');
    }
  });
});

describe('what is moved otherwise', () => {
  it('a large key goes alone, and keeps its value and time to live', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 1) });
    await post(proxy, 'changes', add('node2', nodes[1]));
    await settled(proxy);
    await post(proxy, 'changes', { kind: 'remove', remove: ['node2'] });
    await settled(proxy);
    const client = proxy.client();
    for (let i = 0; i < 40; i++) await client.set(`large:${i}`, Buffer.alloc(3_000_000, i), 'EX', 1000);
    await post(proxy, 'changes', add('node2', nodes[1]));
    await settled(proxy);
    const owners = await ownersOf(
      proxy,
      Array.from({ length: 40 }, (_, i) => `large:${i}`),
    );
    expect(owners.filter((address) => address === nodes[1]?.address).length).toBeGreaterThan(5);
    for (let i = 0; i < 40; i++) {
      expect((await client.getBuffer(`large:${i}`))?.equals(Buffer.alloc(3_000_000, i))).toBe(true);
      expect(await client.ttl(`large:${i}`)).toBeGreaterThan(900);
    }
  });

  it('keys of a node without scripts go by plain commands', { timeout: 180_000 }, async () => {
    const first = await startRedis({ args: ['--rename-command', 'EVAL', ''] });
    const second = await startRedis();
    const proxy = await startRingproxy({ nodes: [first] });
    await fill(proxy, 5000);
    await proxy.client().select(3);
    await proxy.client({ db: 3 }).set('elsewhere', 'x');
    await post(proxy, 'changes', add('node2', second));
    await settled(proxy);
    expect(await second.client().dbsize()).toBeGreaterThan(1000);
    expect((await first.client().dbsize()) + (await second.client().dbsize())).toBe(5000);
    expect(await proxy.client({ db: 3 }).get('elsewhere')).toBe('x');
  });
});
