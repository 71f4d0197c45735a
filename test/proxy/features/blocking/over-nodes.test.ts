/** Commands that wait for keys which are on several nodes: what a single Redis answers, who is served, and that nothing is lost. */
import type { Redis } from 'ioredis';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { add, ownersOf, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { startMortalNodes } from './over-nodes/mortal-nodes.js';

let bare: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;
/** Each of them on another node. */
let a: string;
let b: string;
let c: string;

beforeAll(async () => {
  [bare, nodes] = await Promise.all([startRedis(), startRedises(3)]);
  proxy = await startRingproxy({ nodes });
  for (const port of [proxy.port, bare.port]) watchers.set(port, await RawClient.connect(port));
  const names = Array.from({ length: 60 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, names);
  [a = '', b = '', c = ''] = nodes.map((node) => names[owners.indexOf(node.address)]);
});

const watchers = new Map<number, RawClient>();

/** Waits until so many clients of the server wait, as it says itself. */
async function waitingAt(port: number, count: number): Promise<void> {
  const watcher = watchers.get(port) ?? (await RawClient.connect(port));
  for (;;) {
    const list = await watcher.text('CLIENT', 'LIST');
    if ((list.match(/ flags=[^ ]*b/g) ?? []).length === count) return;
  }
}

beforeEach(async () => {
  await Promise.all([proxy.client().flushall(), bare.client().flushall()]);
});

interface Case {
  readonly title: string;
  /** Keys are A, B and C. */
  readonly before?: string;
  readonly command: string;
  /** What another client does while the command waits; without it the command does not wait, or its time is over. */
  readonly meanwhile?: string;
  readonly after?: string;
}

const CASES: readonly Case[] = [
  {
    title: 'BLPOP',
    command: 'BLPOP A B C 0',
    meanwhile: 'RPUSH B x y',
    after: 'LRANGE B 0 -1',
  },
  { title: 'BLPOP of what is there', before: 'RPUSH B x|RPUSH C y', command: 'BLPOP A B C 0', after: 'LLEN C' },
  { title: 'BLPOP whose time is over', command: 'BLPOP A B C 0.05' },
  { title: 'BLPOP whose time is a power of two', command: 'BLPOP A B C 0x1p-5' },
  { title: 'BLPOP whose time is hexadecimal with a point', command: 'BLPOP A B C 0x0.1' },
  { title: 'BLPOP whose time is hexadecimal and no number', command: 'BLPOP A B C 0x.p1' },
  { title: 'BLPOP whose time is written unusually', command: 'BLPOP A B 5e-2' },
  { title: 'BLPOP of one key twice', command: 'BLPOP A B A 0', meanwhile: 'RPUSH A x' },
  { title: 'BRPOP', command: 'BRPOP A B C 10', meanwhile: 'RPUSH C x y', after: 'LRANGE C 0 -1' },
  { title: 'another type', before: 'SET B x', command: 'BRPOP A B C 0' },
  { title: 'another type behind what is there', before: 'RPUSH A x|SET B x', command: 'BRPOP A B C 0' },
  { title: 'another type that comes later', command: 'BLPOP A B 0', meanwhile: 'SET A x|RPUSH B y' },
  { title: 'BLMPOP', command: 'BLMPOP 0 3 A B C LEFT COUNT 2', meanwhile: 'RPUSH B x y z', after: 'LRANGE B 0 -1' },
  { title: 'BLMPOP from the right', before: 'RPUSH C x y', command: 'BLMPOP 1 3 A B C right' },
  { title: 'BLMPOP whose time is over', command: 'BLMPOP 0.05 3 A B C LEFT' },
  { title: 'BZPOPMIN', command: 'BZPOPMIN A B C 0', meanwhile: 'ZADD C 2.5 two 1 one', after: 'ZRANGE C 0 -1' },
  { title: 'BZPOPMAX', command: 'BZPOPMAX A B C 0', meanwhile: 'ZADD A 2.5 two 1 one' },
  { title: 'BZPOPMIN whose time is over', command: 'BZPOPMIN A B C 0.05' },
  { title: 'BZMPOP', command: 'BZMPOP 0 3 A B C MIN COUNT 2', meanwhile: 'ZADD B 2 two 1 one 3 three' },
  {
    title: 'BLMOVE',
    command: 'BLMOVE A B LEFT RIGHT 0',
    meanwhile: 'RPUSH A x y',
    after: 'LRANGE A 0 -1|LRANGE B 0 -1',
  },
  {
    title: 'BLMOVE of what is there',
    before: 'RPUSH A x y|RPUSH B z',
    command: 'BLMOVE A B RIGHT LEFT 0',
    after: 'LRANGE B 0 -1',
  },
  { title: 'BLMOVE whose time is over', command: 'BLMOVE A B LEFT LEFT 0.05' },
  { title: 'BLMOVE to another type', before: 'SET B x|RPUSH A x', command: 'BLMOVE A B LEFT LEFT 0', after: 'LLEN A' },
  { title: 'BLMOVE from another type', before: 'SET A x', command: 'BLMOVE A B LEFT LEFT 0' },
  { title: 'BLMOVE with a syntax error', command: 'BLMOVE A B LEFT UP 0' },
  { title: 'BRPOPLPUSH', command: 'BRPOPLPUSH A C 0', meanwhile: 'RPUSH A x y', after: 'LLEN A|LRANGE C 0 -1' },
  { title: 'BRPOPLPUSH whose time is over', command: 'BRPOPLPUSH A C 0.05' },
  { title: 'a list that is renamed to the key', command: 'BLPOP A B C 0', meanwhile: 'RPUSH {A}x e|RENAME {A}x A' },
  { title: 'what comes in a transaction', command: 'BLPOP A B C 0', meanwhile: 'MULTI|RPUSH B 1|RPUSH B 2|EXEC' },
  { title: 'a timeout that is none', command: 'BLPOP A B soon' },
  { title: 'a negative timeout', command: 'BLPOP A B -1' },
  { title: 'a timeout beyond any', command: 'BLPOP A B 1e300' },
  { title: 'a syntax error', command: 'BLMPOP 0 2 A B MIN' },
  { title: 'another syntax error', command: 'BZMPOP 0 2 A B MIN COUNT 0' },
];

/** @returns the words of a line, with the keys put in */
function words(line: string): string[] {
  const names: Record<string, string> = { A: a, B: b, C: c, '{A}x': `{${a}}x` };
  return line.split(' ').map((word) => names[word] ?? word);
}

function lines(text: string | undefined): string[][] {
  return text === undefined ? [] : text.split('|').map(words);
}

/** @returns what each of the two has told */
async function both(tell: (port: number) => Promise<unknown>): Promise<[unknown, unknown]> {
  const [ours, theirs] = await Promise.all([proxy.port, bare.port].map(tell));
  return [ours, theirs];
}

describe.each(['2', '3'])('RESP%s', (protocol) => {
  it.each(CASES)('$title', async ({ before, command, meanwhile, after }) => {
    const [ours, theirs] = await both(async (port) => {
      const client = await RawClient.connect(port);
      const other = await RawClient.connect(port);
      await client.command('HELLO', protocol);
      for (const line of lines(before)) await client.command(...line);
      const reply = client.text(...words(command));
      if (meanwhile !== undefined) {
        await waitingAt(port, 1);
        for (const line of lines(meanwhile)) await other.command(...line);
      }
      const replies = [await reply];
      for (const line of lines(after)) replies.push(await other.text(...line));
      replies.push(await client.text('PING'));
      return replies;
    });
    expect(ours).toEqual(theirs);
    await waitingAt(proxy.port, 0);
  });

  it.each(['TIMEOUT', 'ERROR'])('CLIENT UNBLOCK with %s', async (mode) => {
    const [ours, theirs] = await both(async (port) => {
      const client = await RawClient.connect(port);
      const other = await RawClient.connect(port);
      await client.command('HELLO', protocol);
      const id = (await client.text('CLIENT', 'ID')).slice(1, -2);
      const reply = client.text('BLPOP', a, b, c, '0');
      await waitingAt(port, 1);
      const answer = await other.text('CLIENT', 'UNBLOCK', id, mode);
      return [answer, await reply, await other.text('CLIENT', 'UNBLOCK', id), await client.text('PING')];
    });
    expect(ours).toEqual(theirs);
  });
});

/** How often the node was asked for this command. */
async function callsAt(client: Redis, command: string): Promise<number> {
  const stats = await client.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

it('clients that wait are blocked clients in INFO', async () => {
  const [one, other] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
  const replies = [one.text('BLPOP', a, b, '0'), other.text('BZPOPMIN', b, c, '0')];
  await waitingAt(proxy.port, 2);
  expect(await proxy.client().info('clients')).toContain('blocked_clients:2');
  await proxy.client().rpush(a, 'x');
  await proxy.client().zadd(c, 1, 'x');
  await Promise.all(replies);
  expect(await proxy.client().info('clients')).toContain('blocked_clients:0');
  for (const client of [one, other]) client.close();
});

// Whoever waited at one node went on waiting, and over two got the error.
it.each([(key: string) => ['SET', key, 'x'], (key: string) => ['XGROUP', 'CREATE', key, 'group', '0', 'MKSTREAM']])(
  'a list that is waited for may become of another type meanwhile',
  async (other) => {
    const direct = (nodes[0] as RedisProcess).client();
    const client = await RawClient.connect(proxy.port);
    const served = client.text('BLMOVE', a, b, 'LEFT', 'LEFT', '0');
    await waitingAt(proxy.port, 1);
    const before = await callsAt(direct, 'lindex');
    const [command = '', ...args] = other(a);
    await proxy.client().call(command, ...args);
    while ((await callsAt(direct, 'lindex')) === before) {}
    await proxy.client().del(a);
    await proxy.client().rpush(a, 'x');
    expect(await served).toContain('x');
  },
);

it('who came first is served first, whichever key gets something', async () => {
  const other = await RawClient.connect(proxy.port);
  const clients: RawClient[] = [];
  for (let i = 0; i < 9; i++) {
    const client = await RawClient.connect(proxy.port);
    clients.push(client);
    // Some wait for other keys as well, some in another order.
    client.send(`${['BLPOP', ...[a, b, c].slice(i % 2), '0'].join(' ')}\r\n`);
    await waitingAt(proxy.port, i + 1);
  }
  for (const [i, client] of clients.entries()) {
    await other.command('RPUSH', i % 2 === 0 ? b : c, `for ${i}`);
    expect((await client.replies(1)).toString()).toContain(`for ${i}`);
  }
});

it('many that wait cost one try for each element, and those who leave cost nothing', async () => {
  const many = 300;
  const watchers = nodes.map((node) => node.client());
  const tries = async (): Promise<number> => {
    const calls = await Promise.all(watchers.map((watcher) => callsAt(watcher, 'blpop')));
    return calls.reduce((sum, count) => sum + count, 0);
  };
  const clients = await Promise.all(Array.from({ length: many }, () => RawClient.connect(proxy.port)));
  for (const client of clients) client.send(`BLPOP ${a} ${b} ${c} 0\r\n`);
  await waitingAt(proxy.port, many);
  const pusher = proxy.client();
  const first = clients.map((client) => client.replies(1));
  for (const reply of first) reply.catch(() => {});
  const before = await tries();
  for (let i = 0; i < 20; i++) {
    await pusher.rpush(b, `element ${i}`);
    expect((await (first[i] as Promise<Buffer[]>)).toString()).toContain(`element ${i}`);
  }
  // One that finds it, and one or two that find no more.
  expect((await tries()) - before).toBeLessThan(20 * 6);
  for (const client of clients.slice(20)) client.close();
  await waitingAt(proxy.port, 0);
  await pusher.rpush(a, 'kept');
  expect(await pusher.lrange(a, 0, -1)).toEqual(['kept']);
});

describe.each([
  ['on several nodes', () => [a, b]],
  ['on one node', () => [a]],
] as const)('what was taken from keys %s for a client that has left meanwhile', (_where, keysOf) => {
  it.each([
    // What has closed both directions is told from what may still read by the answer to what is sent to it.
    ['closed', (client: RawClient) => client.close()],
    ['reset', (client: RawClient) => client.socket.resetAndDestroy()],
  ] as const)('goes back to where it was (%s)', async (_how, leave) => {
    const [node] = nodes as [RedisProcess];
    const direct = node.client();
    const other = await RawClient.connect(proxy.port);
    await direct.rpush(a, 'first', 'second');
    const pushes = await callsAt(direct, 'lpush');
    node.kill('SIGSTOP');
    const client = await RawClient.connect(proxy.port);
    client.send(`BLPOP ${keysOf().join(' ')} 0\r\n`);
    await waitingAt(proxy.port, 1);
    leave(client);
    // By then it was heard that the client has left.
    for (let i = 0; i < 3; i++) await other.command('PING');
    node.kill('SIGCONT');
    while ((await callsAt(direct, 'lpush')) === pushes) {}
    expect(await direct.lrange(a, 0, -1)).toEqual(['first', 'second']);
    await waitingAt(proxy.port, 0);
  });
});

it('a client that sends nothing more is not waited for where others wait in front of it', async () => {
  const [node] = nodes as [RedisProcess];
  const first = await RawClient.connect(proxy.port);
  const served = first.text('BLPOP', a, b, '0');
  await waitingAt(proxy.port, 1);
  node.kill('SIGSTOP');
  const client = await RawClient.connect(proxy.port);
  client.socket.end(`BLPOP ${a} ${b} 0\r\n`);
  await client.closed;
  node.kill('SIGCONT');
  await proxy.client().rpush(a, 'x');
  expect(await served).toContain('x');
});

it('a client that sends nothing more gets what is there, and does not wait', async () => {
  const [ours, theirs] = await both(async (port) => {
    const pusher = await RawClient.connect(port);
    await pusher.command('RPUSH', b, 'x');
    const told: string[] = [];
    for (let i = 0; i < 2; i++) {
      const client = await RawClient.connect(port);
      const received: Buffer[] = [];
      client.socket.on('data', (chunk: Buffer) => received.push(chunk));
      client.socket.end(`PING\r\nBLPOP ${a} ${b} 0\r\n`);
      await client.closed;
      told.push(Buffer.concat(received).toString());
    }
    return told;
  });
  expect(ours).toEqual(theirs);
});

it('nothing is taken while clients are paused', async () => {
  const client = await RawClient.connect(proxy.port);
  const other = await RawClient.connect(proxy.port);
  const reply = client.text('BLPOP', a, b, '0');
  await waitingAt(proxy.port, 1);
  await other.command('CLIENT', 'PAUSE', '600000', 'WRITE');
  const direct = (nodes[0] as RedisProcess).client();
  await direct.rpush(a, 'x');
  // What the node says of that push is read in front of its next answer to the proxy.
  for (let i = 0; i < 3; i++) expect(await other.text('LLEN', a)).toBe(':1\r\n');
  await other.command('CLIENT', 'UNPAUSE');
  expect(await reply).toContain('x');
});

it('when the proxy stops, what waits is told', async () => {
  const stopping = await startRingproxy({ nodes });
  const client = await RawClient.connect(stopping.port);
  const watcher = await RawClient.connect(stopping.port);
  const reply = client.text('BLPOP', a, b, '0');
  while (!/flags=b/.test(await watcher.text('CLIENT', 'LIST'))) {}
  const code = stopping.stop();
  expect(await reply).toBe('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n');
  expect(await code).toBe(0);
});

it('a node that is down is an error at first, and otherwise the other keys are waited for', async () => {
  const { one, small, x, y } = await startMortalNodes();
  const client = await RawClient.connect(small.port);
  const other = await RawClient.connect(small.port);
  let reply = client.text('BLPOP', x, y, '0');
  while (!/flags=b/.test(await other.text('CLIENT', 'LIST'))) {}
  while (!/tracking_clients:[1-9]/.test(await one.client().info('clients'))) {}
  // What it has tried by then is answered: what was in the middle of a try would be an error.
  for (let i = 0; i < 3; i++) await other.text('BLPOP', x, y, '0.01');
  await one.stop();
  while (!(await other.text('GET', x)).startsWith('-NODEDOWN')) {}
  await other.command('RPUSH', y, 'there');
  expect(await reply).toContain('there');
  expect(await client.text('BLPOP', x, y, '0')).toMatch(/^-NODEDOWN node node1/);
  await one.start();
  // The first words that reach it find it up, or wait.
  do reply = client.text('BLPOP', x, y, '0.1');
  while ((await reply).startsWith('-NODEDOWN'));
  reply = client.text('BLPOP', x, y, '0');
  await other.command('RPUSH', x, 'again');
  expect(await reply).toContain('again');
});

describe('while the ring changes', () => {
  it('it goes on where its keys are, also when these have come apart', async () => {
    const [one, two] = (await startRedises(2)) as [RedisProcess, RedisProcess];
    const small = await startRingproxy({ nodes: [one] });
    const names = Array.from({ length: 40 }, (_, i) => `queue:${i}`);
    const clients = await Promise.all(names.map(() => RawClient.connect(small.port)));
    // Each waits for its own key and for the next one's.
    const replies = clients.map((client, i) => client.text('BLPOP', `${names[i]}`, `${names[i]}:more`, '0'));
    const watcher = await RawClient.connect(small.port);
    const allWait = async (): Promise<void> => {
      while (((await watcher.text('CLIENT', 'LIST')).match(/ flags=b/g) ?? []).length < names.length) {}
    };
    await allWait();
    await post(small, 'changes', add('node2', two));
    await settled(small);
    const owners = await ownersOf(small, names);
    const others = await ownersOf(
      small,
      names.map((name) => `${name}:more`),
    );
    expect(owners.some((owner, i) => owner !== others[i])).toBe(true);
    const pusher = small.client();
    for (const [i, name] of names.entries()) await pusher.rpush(i % 2 === 0 ? name : `${name}:more`, `for ${i}`);
    for (const [i, reply] of replies.entries()) expect(await reply).toContain(`for ${i}`);
  });
});
