/** Transactions whose keys are on several nodes: what a single Redis answers, where nothing fails. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeReply } from '../../../../src/resp/decode.js';
import { request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { add, ownersOf, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let single: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  single = await startRedis();
  nodes = await startRedises(3);
  proxy = await startRingproxy({ nodes });
});

type Words = readonly string[];

/** Numbers that look random, and are the same for a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function keysOf(random: (below: number) => number, count: number): string[] {
  return Array.from({ length: count }, () => `k${random(20)}`);
}

const COMMANDS: readonly ((random: (below: number) => number) => Words)[] = [
  (random) => ['SET', `k${random(20)}`, `v${random(1000)}`],
  (random) => ['SET', `k${random(20)}`, 'x'.repeat(random(3000))],
  (random) => ['GET', `k${random(20)}`],
  (random) => ['INCR', `k${random(20)}`],
  (random) => ['APPEND', `k${random(20)}`, 'more'],
  (random) => ['RPUSH', `k${random(20)}`, 'a', 'b'],
  (random) => ['LRANGE', `k${random(20)}`, '0', '-1'],
  (random) => ['HSET', `k${random(20)}`, 'f', `v${random(9)}`],
  (random) => ['HGETALL', `k${random(20)}`],
  (random) => ['DEL', ...keysOf(random, 1 + random(5))],
  (random) => ['UNLINK', ...keysOf(random, 1 + random(5))],
  (random) => ['EXISTS', ...keysOf(random, 1 + random(6))],
  (random) => ['TOUCH', ...keysOf(random, 1 + random(6))],
  (random) => ['MGET', ...keysOf(random, 1 + random(8))],
  (random) => ['MSET', ...keysOf(random, 1 + random(6)).flatMap((key) => [key, `m${random(100)}`])],
  (random) => ['MSET', ...keysOf(random, 1 + 2 * random(3))],
  (random) => ['EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', `k${random(20)}`, `e${random(9)}`],
  (random) => ['EVALSHA', '4a2267357833227dd98abdedb8cf24b15a986445', '1', `k${random(20)}`],
  () => ['SCRIPT', 'LOAD', 'return KEYS[1]'],
  () => ['PING'],
  () => ['ECHO', 'text'],
  (random) => ['SELECT', String(random(3))],
  () => ['SELECT', '99'],
  (random) => (random(8) === 0 ? ['FLUSHDB'] : ['PING', 'x']),
  (random) => ['CLIENT', 'SETNAME', `name${random(9)}`],
  () => ['CLIENT', 'GETNAME'],
  () => ['DBSIZE'],
  (random) => ['KEYS', `k${random(20)}`],
];

/** A block of commands, mostly a transaction; sometimes with a watched key that the client itself changes. */
function block(random: (below: number) => number): Words[] {
  const words: Words[] = [];
  if (random(4) === 0) words.push(['WATCH', ...keysOf(random, 1 + random(3))]);
  if (random(6) === 0) words.push(['WATCH', ...keysOf(random, 1 + random(3))]);
  if (random(6) === 0) words.push(['SET', `k${random(20)}`, 'changed']);
  words.push(['MULTI']);
  const count = random(12);
  for (let i = 0; i < count; i++) {
    const make = COMMANDS[random(COMMANDS.length)];
    if (make !== undefined) words.push(make(random));
  }
  if (random(20) === 0) words.push(['NOSUCH']);
  words.push(random(15) === 0 ? ['DISCARD'] : ['EXEC']);
  if (random(3) === 0) words.push(['MGET', ...keysOf(random, 4)]);
  return words;
}

describe.each(['2', '3'])('RESP%s', (protocol) => {
  it.each([1, 2, 3, 4, 5])(
    'random transactions are answered as by a single Redis, and leave the same (%i)',
    async (seed) => {
      const told = await Promise.all(
        [single.port, proxy.port].map(async (port) => {
          const random = numbers(seed * 7919 + Number(protocol));
          const client = await RawClient.connect(port);
          await client.pipeline([['FLUSHALL'], ['SCRIPT', 'LOAD', 'return KEYS[1]'], ['HELLO', protocol]]);
          const log: string[] = [];
          for (let i = 0; i < 120; i++) {
            // Several of them at once, in one piece.
            const commands = Array.from({ length: 1 + random(4) }, () => block(random)).flat();
            const replies = await client.pipeline(commands);
            for (const [at, reply] of replies.entries())
              log.push(`${commands[at]?.join(' ')} -> ${reply.toString('latin1')}`);
          }
          for (let database = 0; database < 3; database++) {
            await client.command('SELECT', String(database));
            for (let key = 0; key < 20; key++) log.push(`${database} k${key} ${await client.text('DUMP', `k${key}`)}`);
          }
          return log;
        }),
      );
      expect(told[1]).toEqual(told[0]);
    },
  );
});

describe('what is about all keys', () => {
  beforeEach(async () => {
    await proxy.client().flushall();
  });

  it.each(['2', '3'])(
    'finds in its transaction what stands in front of it, on every node (RESP%s)',
    async (protocol) => {
      const client = await RawClient.connect(proxy.port);
      await client.command('HELLO', protocol);
      const names = Array.from({ length: 30 }, (_, i) => `name:${i}`);
      await client.command('MULTI');
      for (const words of [['RANDOMKEY'], ...names.map((name) => ['SET', name, 'x']), ['DBSIZE'], ['KEYS', 'name:*']]) {
        expect(await client.text(...words)).toBe('+QUEUED\r\n');
      }
      for (const words of [['RANDOMKEY'], ['SELECT', '3'], ['DBSIZE'], ['SELECT', '0'], ['FLUSHALL'], ['DBSIZE']]) {
        await client.command(...words);
      }
      const value = decodeReply(await client.command('EXEC'))?.value;
      const replies = (Array.isArray(value) ? value : []).map((one) => (Array.isArray(one) ? one.map(String) : one));
      expect(replies[0]).toBeNull();
      const [size, keys, drawn, , empty, , , none] = replies.slice(1 + names.length);
      expect([size, empty, none]).toEqual([30, 0, 0]);
      expect((keys as string[]).sort()).toEqual([...names].sort());
      expect(names).toContain(String(drawn));
    },
  );

  it('finds each key once while a node joins', async () => {
    const [one, two, three] = (await startRedises(3)) as [RedisProcess, RedisProcess, RedisProcess];
    const small = await startRingproxy({ nodes: [one, two] });
    const client = await RawClient.connect(small.port);
    const names = Array.from({ length: 3000 }, (_, i) => `name:${i}`).sort();
    await client.command('MSET', ...names.flatMap((name) => [name, 'x']));
    let isSettled = false;
    await post(small, 'changes', add('node3', three));
    const change = settled(small).then(() => (isSettled = true));
    do {
      const replies = await client.pipeline([['MULTI'], ['DBSIZE'], ['KEYS', '*'], ['EXEC']]);
      const value = decodeReply(replies.at(-1) as Buffer)?.value;
      const [size, keys] = Array.isArray(value) ? value : [];
      expect(size).toBe(names.length);
      expect((Array.isArray(keys) ? keys : []).map(String).sort()).toEqual(names);
    } while (!isSettled);
    await change;
  });

  it('alone, watched, and with an error', async () => {
    const client = await RawClient.connect(proxy.port);
    const other = await RawClient.connect(proxy.port);
    await client.pipeline([['MSET', 'k1', 'x', 'k2', 'x', 'k3', 'x'], ['MULTI'], ['DBSIZE']]);
    expect(await client.text('EXEC')).toBe('*1\r\n:3\r\n');
    await client.pipeline([['WATCH', 'k1'], ['MULTI'], ['DBSIZE']]);
    expect(await client.text('EXEC')).toBe('*1\r\n:3\r\n');
    await client.pipeline([['WATCH', 'k1', 'k2'], ['MULTI'], ['DBSIZE']]);
    await other.command('SET', 'k2', 'y');
    expect(await client.text('EXEC')).toBe('*-1\r\n');
    await client.pipeline([['MULTI'], ['KEYS'], ['DBSIZE']]);
    expect(await client.text('EXEC')).toMatch(/^-EXECABORT/);
  });
});

describe('what is large', () => {
  it('a hundred thousand commands are answered in their order', { timeout: 60_000 }, async () => {
    const client = await RawClient.connect(proxy.port);
    const commands = Array.from({ length: 50_000 }, (_, i) => [
      ['SET', `huge:${i}`, `value ${i}`],
      ['GET', `huge:${i}`],
    ]).flat();
    const replies = await client.pipeline([['MULTI'], ...commands, ['EXEC'], ['PING']]);
    const expected = Array.from({ length: 50_000 }, (_, i) => `+OK\r\n$${6 + String(i).length}\r\nvalue ${i}\r\n`);
    expect(replies.at(-2)?.equals(Buffer.from(`*100000\r\n${expected.join('')}`))).toBe(true);
    expect(replies.at(-1)?.toString()).toBe('+PONG\r\n');
  });

  it('values of megabytes go in and come out', async () => {
    const client = await RawClient.connect(proxy.port);
    const keys = Array.from({ length: 6 }, (_, i) => `large:${i}`);
    const value = 'x'.repeat(2_000_000);
    const replies = await client.pipeline([
      ['MULTI'],
      ['MSET', ...keys.flatMap((key) => [key, value])],
      ['MGET', ...keys],
      ...keys.map((key) => ['GET', key]),
      ['EXEC'],
    ]);
    const bulk = `$${value.length}\r\n${value}\r\n`;
    expect(replies.at(-1)?.equals(Buffer.from(`*8\r\n+OK\r\n*6\r\n${bulk.repeat(6)}${bulk.repeat(6)}`))).toBe(true);
  });
});

it('without replies (CLIENT REPLY OFF) they run as well, in their order', async () => {
  const client = await RawClient.connect(proxy.port);
  const keys = Array.from({ length: 9 }, (_, i) => `off:${i}`);
  const rounds = Array.from({ length: 20 }, (_, round) => [
    ['MULTI'],
    ...keys.map((key) => ['RPUSH', key, String(round)]),
    ['EXEC'],
  ]).flat();
  const encoded = [
    ['CLIENT', 'REPLY', 'OFF'],
    ...rounds,
    ['CLIENT', 'REPLY', 'ON'],
    ...keys.map((key) => ['LRANGE', key, '0', '-1']),
  ];
  client.send(Buffer.concat(encoded.map((words) => Buffer.from(request(words)))));
  const [on, ...lists] = await client.replies(1 + keys.length);
  expect(on?.toString()).toBe('+OK\r\n');
  const all = Array.from({ length: 20 }, (_, round) => `$${String(round).length}\r\n${round}\r\n`).join('');
  expect(new Set(lists.map(String))).toEqual(new Set([`*20\r\n${all}`]));
});

it('what the limits of a group add goes to the node of its key, and nobody sees it', async () => {
  const limited = await startRingproxy({
    nodes: await startRedises(3),
    config: 'key-groups:\n  d: { prefixes: ["d:"], default-ttl: 1d }\n',
  });
  const client = await RawClient.connect(limited.port);
  const keys = Array.from({ length: 12 }, (_, i) => `d:${i}`);
  const replies = await client.pipeline([
    ['MULTI'],
    ['MSET', ...keys.flatMap((key) => [key, key])],
    ...keys.map((key) => ['RPUSH', `${key}:list`, 'x']),
    ['MGET', ...keys],
    ['EXEC'],
  ]);
  const values = keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('');
  expect(String(replies.at(-1))).toBe(`*14\r\n+OK\r\n${':1\r\n'.repeat(12)}*12\r\n${values}`);
  for (const key of keys) {
    for (const one of [key, `${key}:list`]) expect(await limited.client().ttl(one)).toBeGreaterThan(80_000);
  }
});

it('what they publish is heard once, and FLUSHALL reaches nodes that have no part', async () => {
  const client = await RawClient.connect(proxy.port);
  const listener = await RawClient.connect(proxy.port);
  await listener.command('SUBSCRIBE', 'news');
  const keys = Array.from({ length: 60 }, (_, i) => `pub:${i}`);
  for (const key of keys) await client.command('SET', key, '1');
  const owners = await ownersOf(proxy, keys);
  const first = keys[owners.indexOf(nodes[0]?.address ?? '')] ?? '';
  const second = keys[owners.indexOf(nodes[1]?.address ?? '')] ?? '';
  const replies = await client.pipeline([
    ['MULTI'],
    ['PUBLISH', 'news', 'hello'],
    ['SET', first, '2'],
    ['FLUSHALL'],
    ['SET', second, '3'],
    ['EXEC'],
    ['DBSIZE'],
  ]);
  expect(replies.slice(-2).map(String)).toEqual(['*4\r\n:1\r\n+OK\r\n+OK\r\n+OK\r\n', ':1\r\n']);
  expect(String((await listener.replies(1))[0])).toBe('*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n');
});

// Those that had only some keys in common, or all of theirs on one node, came in between the steps of others.
it('transactions of one process that watch some of the same keys void each other as a whole, and never in part', async () => {
  const keys = ['ka', 'kb', 'kc', 'kd', 'ke'];
  expect(new Set(await ownersOf(proxy, keys)).size).toBeGreaterThan(1);
  const torn: string[] = [];
  let ran = 0;
  const run = async (seed: number): Promise<void> => {
    const random = numbers(seed);
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 60; i++) {
      const own = keys.filter(() => random(2) === 0);
      if (own.length === 0) continue;
      await client.command('WATCH', ...own);
      const queued = [['MULTI'], ...own.map((key) => ['INCR', key]), ['EXEC']];
      const reply = (await client.pipeline(queued)).at(-1)?.toString() ?? '';
      if (reply.includes('EXECABORT')) torn.push(reply);
      if (reply.startsWith('*') && !reply.startsWith('*-1')) ran += own.length;
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, seed) => run(seed + 1)));
  expect(torn).toEqual([]);
  const counts = await proxy.client().mget(keys);
  expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(ran);
});
