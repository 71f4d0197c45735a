/** Commands that wait: what a single Redis answers, who is served, and what becomes of clients that leave. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { residentMemory } from '../../../bench/process-usage.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let single: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  single = await startRedis();
  nodes = await startRedises(3);
  proxy = await startRingproxy({ nodes, args: ['--cross-node', 'refuse'] });
});

const watchers = new Map<RedisProcess, Redis>();

/** A client that looks at the server itself; always the same one. */
function watcher(server: RedisProcess): Redis {
  const known = watchers.get(server) ?? server.client();
  watchers.set(server, known);
  return known;
}

/** Waits until the servers have this many clients that wait. */
async function blockedAt(servers: readonly RedisProcess[], count: number): Promise<void> {
  for (;;) {
    const infos = await Promise.all(servers.map((server) => watcher(server).info('clients')));
    const waiting = infos.reduce((sum, info) => sum + Number(/blocked_clients:(\d+)/.exec(info)?.[1]), 0);
    if (waiting === count) return;
  }
}

interface Case {
  readonly title: string;
  readonly before?: readonly string[][];
  readonly command: readonly string[];
  /** What another client does while the command waits; without it the command does not wait, or its time is over. */
  readonly meanwhile?: readonly string[][];
  readonly after?: readonly string[][];
}

const STREAM = [['XADD', '{t}s', '1-1', 'f', 'old']];
const CASES: readonly Case[] = [
  {
    title: 'BLPOP',
    command: ['BLPOP', '{t}a', '{t}b', '0'],
    meanwhile: [['RPUSH', '{t}b', 'x', 'y']],
    after: [['LRANGE', '{t}b', '0', '-1']],
  },
  { title: 'BLPOP of what is there', before: [['RPUSH', '{t}a', 'x']], command: ['BLPOP', '{t}a', '0'] },
  { title: 'BLPOP whose time is over', command: ['BLPOP', '{t}a', '0.05'] },
  { title: 'BRPOP', command: ['BRPOP', '{t}a', '10'], meanwhile: [['RPUSH', '{t}a', 'x', 'y']] },
  { title: 'BRPOP of another type', before: [['SET', '{t}a', 'x']], command: ['BRPOP', '{t}a', '0'] },
  {
    title: 'BLMOVE',
    command: ['BLMOVE', '{t}a', '{t}b', 'LEFT', 'RIGHT', '0'],
    meanwhile: [['RPUSH', '{t}a', 'x']],
    after: [['LRANGE', '{t}b', '0', '-1']],
  },
  { title: 'BLMOVE whose time is over', command: ['BLMOVE', '{t}a', '{t}b', 'LEFT', 'RIGHT', '0.05'] },
  { title: 'BRPOPLPUSH', command: ['BRPOPLPUSH', '{t}a', '{t}b', '0'], meanwhile: [['RPUSH', '{t}a', 'x']] },
  { title: 'BRPOPLPUSH whose time is over', command: ['BRPOPLPUSH', '{t}a', '{t}b', '0.05'] },
  {
    title: 'BLMPOP',
    command: ['BLMPOP', '0', '2', '{t}a', '{t}b', 'LEFT', 'COUNT', '2'],
    meanwhile: [['RPUSH', '{t}b', 'x', 'y', 'z']],
  },
  { title: 'BLMPOP whose time is over', command: ['BLMPOP', '0.05', '1', '{t}a', 'LEFT'] },
  { title: 'BZPOPMIN', command: ['BZPOPMIN', '{t}z', '0'], meanwhile: [['ZADD', '{t}z', '2', 'two', '1', 'one']] },
  {
    title: 'BZPOPMAX',
    command: ['BZPOPMAX', '{t}y', '{t}z', '0'],
    meanwhile: [['ZADD', '{t}z', '2.5', 'two', '1', 'one']],
  },
  {
    title: 'BZMPOP',
    command: ['BZMPOP', '0', '1', '{t}z', 'MIN', 'COUNT', '2'],
    meanwhile: [['ZADD', '{t}z', '2', 'two', '1', 'one']],
  },
  {
    title: 'XREAD BLOCK of new entries',
    before: STREAM,
    command: ['XREAD', 'BLOCK', '0', 'STREAMS', '{t}s', '$'],
    meanwhile: [['XADD', '{t}s', '2-1', 'f', 'new']],
  },
  {
    title: 'XREAD BLOCK of what is there',
    before: STREAM,
    command: ['XREAD', 'COUNT', '1', 'BLOCK', '0', 'STREAMS', '{t}s', '0'],
  },
  {
    title: 'XREAD BLOCK whose time is over',
    before: STREAM,
    command: ['XREAD', 'BLOCK', '50', 'STREAMS', '{t}s', '$'],
  },
  { title: 'XREAD without BLOCK', before: STREAM, command: ['XREAD', 'STREAMS', '{t}s', '0'] },
  {
    title: 'XREADGROUP BLOCK',
    before: [...STREAM, ['XGROUP', 'CREATE', '{t}s', 'block', '$']],
    command: ['XREADGROUP', 'GROUP', 'block', 'block', 'COUNT', '5', 'BLOCK', '0', 'STREAMS', '{t}s', '>'],
    meanwhile: [['XADD', '{t}s', '2-1', 'f', 'new']],
  },
  { title: 'a timeout that is none', command: ['BLPOP', '{t}a', 'soon'] },
  { title: 'a negative timeout', command: ['BLPOP', '{t}a', '-1'] },
  { title: 'a syntax error', command: ['BLMPOP', '0', '2', '{t}a', 'LEFT'] },
  { title: 'XREAD with an unbalanced list', command: ['XREAD', 'BLOCK', '0', 'STREAMS', '{t}a', '{t}b', '0'] },
  { title: 'WAIT for nobody', before: [['SET', '{t}a', '1']], command: ['WAIT', '0', '0'] },
  { title: 'WAIT for more replicas than there are', before: [['SET', '{t}a', '1']], command: ['WAIT', '1', '50'] },
  { title: 'WAIT with nonsense', command: ['WAIT', 'x', '50'] },
  { title: 'CLIENT UNBLOCK of nobody', command: ['CLIENT', 'UNBLOCK', '999999'] },
  { title: 'CLIENT UNBLOCK with nonsense', command: ['CLIENT', 'UNBLOCK', 'x'] },
  { title: 'CLIENT UNBLOCK for a strange reason', command: ['CLIENT', 'UNBLOCK', '1', 'WHY'] },
];

describe.each(['2', '3'])('RESP%s', (protocol) => {
  it.each(CASES)('$title', async ({ before = [], command, meanwhile, after = [] }) => {
    const told = await Promise.all(
      [[single], nodes].map(async (servers) => {
        const port = servers === nodes ? proxy.port : single.port;
        const client = await RawClient.connect(port);
        const other = await RawClient.connect(port);
        await client.command('FLUSHALL');
        await client.command('HELLO', protocol);
        for (const words of before) await client.command(...words);
        const reply = client.text(...command);
        if (meanwhile !== undefined) {
          await blockedAt(servers, 1);
          for (const words of meanwhile) await other.command(...words);
        }
        const replies = [await reply];
        for (const words of after) replies.push(await other.text(...words));
        replies.push(await client.text('PING'));
        return replies;
      }),
    );
    expect(told[1]).toEqual(told[0]);
    await blockedAt(nodes, 0);
  });

  it.each([
    ['TIMEOUT', ['BLPOP', '{t}none', '0']],
    ['ERROR', ['BLPOP', '{t}none', '0']],
    ['TIMEOUT', ['BLMOVE', '{t}none', '{t}b', 'LEFT', 'LEFT', '0']],
    ['TIMEOUT', ['XREAD', 'BLOCK', '0', 'STREAMS', '{t}none', '$']],
  ])('CLIENT UNBLOCK with %s ends %j', async (mode, command) => {
    const told = await Promise.all(
      [[single], nodes].map(async (servers) => {
        const port = servers === nodes ? proxy.port : single.port;
        const client = await RawClient.connect(port);
        const other = await RawClient.connect(port);
        await client.command('HELLO', protocol);
        const id = (await client.text('CLIENT', 'ID')).slice(1, -2);
        const reply = client.text(...command);
        await blockedAt(servers, 1);
        const answer = await other.text('CLIENT', 'UNBLOCK', id, mode);
        return [answer, await reply, await other.text('CLIENT', 'UNBLOCK', id), await client.text('PING')];
      }),
    );
    expect(told[1]).toEqual(told[0]);
  });
});

it('WAIT is ended by CLIENT UNBLOCK, too', async () => {
  const client = await RawClient.connect(proxy.port);
  const other = await RawClient.connect(proxy.port);
  const id = (await client.text('CLIENT', 'ID')).slice(1, -2);
  const reply = client.text('WAIT', '1', '0');
  await blockedAt(nodes, 3);
  expect(await other.text('CLIENT', 'UNBLOCK', id)).toBe(':1\r\n');
  expect(await reply).toBe(':0\r\n');
  expect(await client.text('PING')).toBe('+PONG\r\n');
});

it('keys of several nodes are refused', async () => {
  const keys = Array.from({ length: 50 }, (_, i) => `apart:${i}`);
  const owners = await ownersOf(proxy, keys);
  const other = keys[owners.findIndex((owner) => owner !== owners[0])] as string;
  const client = await RawClient.connect(proxy.port);
  expect(await client.text('BLPOP', keys[0] as string, other, '0')).toBe(
    "-CROSSSLOT Keys in request don't hash to the same node (cross-node: allow lets most commands run so)\r\n",
  );
});

it('what a client sends behind a command that waits is answered behind it, in order', async () => {
  const client = await RawClient.connect(proxy.port);
  const other = await RawClient.connect(proxy.port);
  const replies = client.pipeline([
    ['SET', '{o}n', '1'],
    ['BLPOP', '{o}l', '0'],
    ['INCR', '{o}n'],
    ['BLPOP', '{o}l', '0'],
    ['GET', '{o}n'],
  ]);
  await blockedAt(nodes, 1);
  expect(await other.text('GET', '{o}n')).toBe('$1\r\n1\r\n');
  await other.command('RPUSH', '{o}l', 'a', 'b');
  expect((await replies).map(String)).toEqual([
    '+OK\r\n',
    '*2\r\n$4\r\n{o}l\r\n$1\r\na\r\n',
    ':2\r\n',
    '*2\r\n$4\r\n{o}l\r\n$1\r\nb\r\n',
    '$1\r\n2\r\n',
  ]);
});

it('a large element comes whole', { timeout: 180_000 }, async () => {
  const client = await RawClient.connect(proxy.port);
  const other = await RawClient.connect(proxy.port);
  const element = randomBytes(3_000_000);
  const reply = client.command('BLPOP', 'large', '0');
  await blockedAt(nodes, 1);
  await other.command('RPUSH', 'large', element);
  const head = Buffer.from('*2\r\n$5\r\nlarge\r\n$3000000\r\n');
  expect((await reply).equals(Buffer.concat([head, element, Buffer.from('\r\n')]))).toBe(true);
});

describe('a client that hangs up', () => {
  it.each([
    ['while it waits', []],
    [
      'with commands behind the one that waits',
      [
        ['SET', 'x', '1'],
        ['GET', 'x'],
      ],
    ],
  ])('%s frees its place at the node at once, and nothing is popped for it', async (_, behind) => {
    const client = await RawClient.connect(proxy.port);
    void client.pipeline([['BLPOP', '{h}l', '0'], ...behind]).catch(() => {});
    await blockedAt(nodes, 1);
    client.close();
    await blockedAt(nodes, 0);
    const other = await RawClient.connect(proxy.port);
    await other.command('RPUSH', '{h}l', 'kept');
    expect(await other.text('LPOP', '{h}l')).toBe('$4\r\nkept\r\n');
  });

  it('costs the nodes no further connection', { timeout: 180_000 }, async () => {
    const received = async (): Promise<number> => {
      const infos = await Promise.all(nodes.map((node) => watcher(node).info('stats')));
      return infos.reduce((sum, info) => sum + Number(/total_connections_received:(\d+)/.exec(info)?.[1]), 0);
    };
    const before = await received();
    for (let i = 0; i < 100; i++) {
      const client = await RawClient.connect(proxy.port);
      void client.text('BLPOP', '{h}l', '0').catch(() => {});
      await blockedAt(nodes, 1);
      client.close();
      await blockedAt(nodes, 0);
    }
    expect((await received()) - before).toBeLessThan(10);
  });
});

/** `RINGPROXY_TEST_BLOCKED=5000` for the size that is promised; the machine needs file descriptors for it. */
const MANY = Number(process.env.RINGPROXY_TEST_BLOCKED ?? 500);

it(`${MANY} clients wait at the same time, and each element goes to one of them`, { timeout: 120_000 }, async () => {
  const before = residentMemory(proxy.pid);
  const clients = await Promise.all(Array.from({ length: MANY }, () => RawClient.connect(proxy.port)));
  const replies = clients.map((client, i) => client.text('BRPOP', `queue:${i % 50}`, '0'));
  // When something else fails first, nobody awaits these.
  for (const reply of replies) reply.catch(() => {});
  await blockedAt(nodes, MANY);
  // About 20 KB each: the client's own connection, the one at the node, and what is in flight.
  expect(residentMemory(proxy.pid) - before).toBeLessThan(40_000_000 + MANY * 40_000);
  const pusher = proxy.client();
  await Promise.all(Array.from({ length: MANY }, (_, i) => pusher.rpush(`queue:${i % 50}`, `element:${i}`)));
  const popped = (await Promise.all(replies)).map((reply) => /element:\d+/.exec(reply)?.[0]);
  expect(new Set(popped).size).toBe(MANY);
  for (const client of clients) client.close();
});

it('one more than may wait at a node is told so when it has waited for a connection', async () => {
  const [node] = await startRedises(1);
  const small = await startRingproxy({
    nodes: [node as RedisProcess],
    config: 'node-blocking-connections: 2\nrequest-timeout: 2s\n',
  });
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(small.port)));
  for (const client of clients.slice(0, 2)) void client.text('BLPOP', 'l', '0').catch(() => {});
  await blockedAt([node as RedisProcess], 2);
  expect(await clients[2]?.text('BLPOP', 'l', '0')).toMatch(/^-TRYAGAIN as many commands wait at node node1 as may/);
});

it('a node that has no connection left for it does not count as down', async () => {
  const [node] = await startRedises(1, { args: ['--maxclients', '10'] });
  const small = await startRingproxy({
    nodes: [node as RedisProcess],
    allowLog: [/upstream:impaired.*max number of clients/],
  });
  const clients = await Promise.all(Array.from({ length: 15 }, () => RawClient.connect(small.port)));
  const replies = await Promise.all(clients.map((client) => Promise.race([client.text('BLPOP', 'l', '1')])));
  expect(replies.filter((reply) => reply.startsWith('-ERR node node1')).length).toBeGreaterThan(0);
  expect(await clients[0]?.text('SET', 'k', '1')).toBe('+OK\r\n');
  await small.logged(/max number of clients/);
});

it('a command may wait for longer than a request may take', async () => {
  const [node] = await startRedises(1);
  const impatient = await startRingproxy({ nodes: [node as RedisProcess], config: 'request-timeout: 1s\n' });
  const client = await RawClient.connect(impatient.port);
  const started = performance.now();
  expect(await client.text('BLPOP', 'l', '3')).toBe('*-1\r\n');
  expect(performance.now() - started).toBeGreaterThan(2900);
});

it('a node that stalls is noticed when the time of what waits there is over', async () => {
  const [node] = await startRedises(1);
  const impatient = await startRingproxy({
    nodes: [node as RedisProcess],
    config: 'request-timeout: 1s\n',
    allowLog: [/down/, /did not answer/],
  });
  const client = await RawClient.connect(impatient.port);
  const reply = client.text('BLPOP', 'l', '3');
  await blockedAt([node as RedisProcess], 1);
  node?.kill('SIGSTOP');
  expect(await reply).toMatch(/^-NODEDOWN node node1/);
  node?.kill('SIGCONT');
});

it('when the proxy stops, what waits is told, and the proxy ends at once', async () => {
  const [node] = await startRedises(1);
  const stopping = await startRingproxy({ nodes: [node as RedisProcess] });
  const client = await RawClient.connect(stopping.port);
  const reply = client.text('BLPOP', 'l', '0');
  await blockedAt([node as RedisProcess], 1);
  const started = performance.now();
  const code = stopping.stop();
  expect(await reply).toBe('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n');
  expect(await code).toBe(0);
  // It does not wait for `shutdown-timeout`.
  expect(performance.now() - started).toBeLessThan(9000);
});
