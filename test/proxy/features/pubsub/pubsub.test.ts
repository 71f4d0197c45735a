/** Publish/subscribe through the proxy, compared with a single Redis. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let nodes: RedisProcess[];
let single: RedisProcess;
let proxy: RingproxyProcess;

beforeAll(async () => {
  nodes = await startRedises(3);
  single = await startRedis();
  proxy = await startRingproxy({ nodes, allowLog: [/upstream:down/] });
});

type Step = readonly [client: number, ...words: (string | Buffer)[]];

const PONG = /(?:\+PONG|\*2\r\n\$4\r\npong\r\n\$0\r\n)\r\n$/;

/**
 * Runs steps one after the other, each on its client.
 * @param expected what each client is to receive, in order; null: whatever a single Redis sends
 * @returns what each client received
 */
async function play(port: number, protocol: '2' | '3', steps: readonly Step[], expected: string[] | null) {
  const clients: RawClient[] = [];
  const received: string[] = [];
  for (const [index, ...words] of steps) {
    while (clients.length <= index) {
      const client = await RawClient.connect(port);
      await client.command('HELLO', protocol);
      clients.push(client);
      received.push('');
      const at = clients.length - 1;
      client.socket.removeAllListeners('data');
      client.socket.on('data', (chunk: Buffer) => {
        received[at] += chunk.toString('latin1');
      });
    }
    const before = received[index]?.length ?? 0;
    clients[index]?.send(request(words));
    await expect.poll(() => received[index]?.length ?? 0, { interval: 1 }).toBeGreaterThan(before);
  }
  // What was published last may still be on its way to the others.
  if (expected !== null) await expect.poll(() => received, { interval: 1 }).toEqual(expected);
  else {
    for (const [index, client] of clients.entries()) {
      client.send(request(['PING']));
      await expect.poll(() => received[index], { interval: 1 }).toMatch(PONG);
    }
  }
  for (const client of clients) client.close();
  return received.map((text) => (expected === null ? text.replace(PONG, '') : text));
}

const BINARY = Buffer.from([0, 255, 13, 10, 42, 128]);

const PLAYS: Readonly<Record<string, readonly Step[]>> = {
  'a channel': [
    [0, 'SUBSCRIBE', 'a'],
    [1, 'PUBLISH', 'a', 'hello'],
    [1, 'PUBLISH', 'b', 'nobody'],
    [1, 'PUBLISH', 'a', ''],
    [0, 'UNSUBSCRIBE', 'a'],
    [1, 'PUBLISH', 'a', 'gone'],
  ],
  'many channels at once, some of them twice': [
    [0, 'SUBSCRIBE', 'a', 'b', 'a', 'c'],
    [0, 'UNSUBSCRIBE', 'b', 'nope', 'b'],
    [1, 'PUBLISH', 'b', '1'],
    [1, 'PUBLISH', 'c', '2'],
    [0, 'UNSUBSCRIBE', 'a', 'c'],
    [0, 'UNSUBSCRIBE'],
    [0, 'PUNSUBSCRIBE'],
    [0, 'SUNSUBSCRIBE'],
  ],
  patterns: [
    // In which order one client hears of two patterns is Redis' own affair.
    [0, 'PSUBSCRIBE', 'news.*', 'o?d.[a-c]'],
    [2, 'PSUBSCRIBE', 'n?ws.[a-c]'],
    [1, 'PUBLISH', 'news.b', '1'],
    [1, 'PUBLISH', 'news.x', '2'],
    [1, 'PUBLISH', 'old.b', '3'],
    [0, 'PUNSUBSCRIBE', 'news.*'],
    [1, 'PUBLISH', 'news.b', '4'],
  ],
  'a channel and patterns that match it': [
    [0, 'SUBSCRIBE', 'x'],
    [0, 'PSUBSCRIBE', '*'],
    [1, 'PSUBSCRIBE', '?'],
    [2, 'PUBLISH', 'x', 'm'],
    [2, 'PUBLISH', 'xx', 'm'],
  ],
  'shard channels': [
    [0, 'SSUBSCRIBE', 'a', 'b'],
    [0, 'SUBSCRIBE', 'a'],
    [1, 'SPUBLISH', 'a', '1'],
    [1, 'PUBLISH', 'a', '2'],
    [0, 'SUNSUBSCRIBE', 'a'],
    [1, 'SPUBLISH', 'a', '3'],
    [0, 'SUNSUBSCRIBE'],
  ],
  'names and messages of any bytes': [
    [0, 'SUBSCRIBE', BINARY],
    [0, 'PSUBSCRIBE', Buffer.concat([BINARY.subarray(0, 2), Buffer.from('*')])],
    [1, 'PUBLISH', BINARY, Buffer.concat([BINARY, BINARY])],
  ],
  'what is allowed while subscribed': [
    [0, 'SUBSCRIBE', 'a'],
    [0, 'GET', 'k'],
    [0, 'CONFIG', 'GET', 'x'],
    [0, 'PING'],
    [0, 'PING', 'text'],
    [0, 'SELECT', '1'],
    [0, 'UNSUBSCRIBE'],
    [0, 'PING'],
    [0, 'GET', 'k'],
  ],
  RESET: [
    [0, 'SUBSCRIBE', 'a'],
    [0, 'PSUBSCRIBE', '*'],
    [0, 'RESET'],
    [1, 'PUBLISH', 'a', 'x'],
    [0, 'GET', 'k'],
  ],
  'PUBLISH in a transaction and a script': [
    [0, 'SUBSCRIBE', 'a', 'b'],
    [1, 'MULTI'],
    [1, 'SET', 'k', '1'],
    [1, 'PUBLISH', 'a', '1'],
    [1, 'PUBLISH', 'b', '2'],
    [1, 'EXEC'],
    [1, 'EVAL', "redis.call('SET', KEYS[1], '1') redis.call('PUBLISH', 'b', 'scripted') return 'ok'", '1', 'other'],
    [1, 'DEL', 'k', 'other'],
  ],
  'PUBSUB CHANNELS, NUMPAT, NUMSUB': [
    [0, 'SUBSCRIBE', 'only'],
    [1, 'PUBSUB', 'CHANNELS'],
    [1, 'PUBSUB', 'CHANNELS', 'o*'],
    [1, 'PUBSUB', 'CHANNELS', 'x*'],
    [2, 'SUBSCRIBE', 'only'],
    [1, 'PUBSUB', 'NUMSUB', 'only', 'none'],
    [1, 'PUBSUB', 'NUMSUB'],
    [2, 'PSUBSCRIBE', 'a*', 'b*'],
    [1, 'PUBSUB', 'NUMPAT'],
    [2, 'SSUBSCRIBE', 'shard'],
    [1, 'PUBSUB', 'SHARDCHANNELS'],
    [1, 'PUBSUB', 'SHARDNUMSUB', 'shard', 'only'],
  ],
  'wrong numbers of arguments': [
    [0, 'SUBSCRIBE'],
    [0, 'PUBLISH', 'a'],
    [0, 'PUBLISH', 'a', 'b', 'c'],
    [0, 'PUBSUB'],
    [0, 'PUBSUB', 'NOPE'],
    [0, 'PUBSUB', 'NUMPAT', 'x'],
  ],
};

describe.each(['2', '3'] as const)('RESP%s', (protocol) => {
  it.each(Object.keys(PLAYS))('%s: as a single Redis', async (name) => {
    const steps = PLAYS[name] ?? [];
    const expected = await play(single.port, protocol, steps, null);
    expect(await play(proxy.port, protocol, steps, expected)).toEqual(expected);
  });
});

it('a large message comes whole, also to one that is reading a large reply', { timeout: 180_000 }, async () => {
  const subscriber = await RawClient.connect(proxy.port);
  const publisher = await RawClient.connect(proxy.port);
  await subscriber.command('HELLO', '3');
  const value = randomBytes(20_000_000);
  await publisher.command('SET', 'large', value);
  await subscriber.command('SUBSCRIBE', 'a');
  const message = randomBytes(3_000_000);
  const replies = subscriber.replies(21);
  subscriber.send(request(['GET', 'large']));
  for (let i = 0; i < 20; i++) await publisher.command('PUBLISH', 'a', i === 7 ? message : String(i));
  const received = await replies;
  const reply = received.find((each) => each[0] === 0x24);
  expect(reply?.equals(Buffer.concat([Buffer.from('$20000000\r\n'), value, Buffer.from('\r\n')]))).toBe(true);
  const messages = received.filter((each) => each[0] === 0x3e).map((each) => each.subarray(each.indexOf('a\r\n') + 3));
  expect(messages).toHaveLength(20);
  expect(messages[7]?.includes(message)).toBe(true);
  for (const [i, each] of messages.entries())
    if (i !== 7) expect(each.toString()).toBe(`$${String(i).length}\r\n${i}\r\n`);
});

it('keyspace notifications of all nodes arrive', async () => {
  for (const node of nodes) await node.client().config('SET', 'notify-keyspace-events', 'K$');
  const subscriber = await RawClient.connect(proxy.port);
  const client = await RawClient.connect(proxy.port);
  await subscriber.command('PSUBSCRIBE', '__keyspace@0__:note:*');
  const replies = subscriber.replies(30);
  for (let i = 0; i < 30; i++) await client.command('SET', `note:${i}`, '1');
  const named = (await replies).map((reply) => /note:\d+/.exec(reply.toString().split('\r\n')[6] ?? '')?.[0]);
  expect(new Set(named).size).toBe(30);
  for (const node of nodes) await node.client().config('SET', 'notify-keyspace-events', '');
});

it('the nodes have one connection for all subscribers, and none for those that are gone', async () => {
  const subscribers = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(proxy.port)));
  await Promise.all(subscribers.map((client, i) => client.pipeline([['SUBSCRIBE', 'same', `own:${i}`]])));
  const watched = nodes[0]?.client();
  const list = String(await watched?.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  expect(list.match(/^id=/gm)).toHaveLength(1);
  expect(list).toMatch(/ sub=101 /);
  const publisher = await RawClient.connect(proxy.port);
  expect(await publisher.text('PUBLISH', 'same', 'm')).toBe(':100\r\n');
  for (const client of subscribers) client.close();
  await expect.poll(async () => String(await watched?.call('PUBSUB', 'CHANNELS'))).toBe('');
});

it('who has the answer to UNSUBSCRIBE is not counted by a PUBLISH behind it', { timeout: 180_000 }, async () => {
  const several = await startRingproxy({ nodes, args: ['--workers', '2'] });
  // Of two clients one after the other, each is of another worker.
  const clients = await Promise.all([1, 2].map(() => RawClient.connect(several.port)));
  for (let i = 0; i < 200; i++) {
    const [subscriber, publisher] = (i % 2 === 0 ? clients : [...clients].reverse()) as [RawClient, RawClient];
    await subscriber.command('SUBSCRIBE', `c:${i}`);
    const message = subscriber.replies(1);
    expect(await publisher.text('PUBLISH', `c:${i}`, 'm')).toBe(':1\r\n');
    await message;
    await subscriber.command('UNSUBSCRIBE');
    expect(await publisher.text('PUBLISH', `c:${i}`, 'm')).toBe(':0\r\n');
  }
});

it('UNSUBSCRIBE is answered when the nodes have ended it, but for those that are down', async () => {
  const own = await startRedises(2);
  const halved = await startRingproxy({ nodes: own, allowLog: [/upstream:down/] });
  const client = await RawClient.connect(halved.port);
  const other = await RawClient.connect(halved.port);
  await client.pipeline([
    ['SUBSCRIBE', 'a'],
    ['SUBSCRIBE', 'b'],
  ]);
  await own[1]?.stop();
  expect(await client.text('UNSUBSCRIBE', 'a')).toBe('*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n');
  own[0]?.kill('SIGSTOP');
  try {
    let isAnswered = false;
    const answer = client.text('UNSUBSCRIBE', 'b').finally(() => {
      isAnswered = true;
    });
    for (let i = 0; i < 10; i++) await other.command('PING');
    expect(isAnswered).toBe(false);
    own[0]?.kill('SIGCONT');
    expect(await answer).toBe('*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n');
  } finally {
    own[0]?.kill('SIGCONT');
  }
});

it('a subscriber that does not read is closed, and the others get everything', { timeout: 180_000 }, async () => {
  const tight = await startRingproxy({ nodes, config: 'client-output-limit: 1mb\n' });
  const lazy = await RawClient.connect(tight.port);
  const eager = await RawClient.connect(tight.port);
  const publisher = await RawClient.connect(tight.port);
  for (const client of [lazy, eager]) await client.command('SUBSCRIBE', 'busy');
  lazy.socket.pause();
  const payload = 'x'.repeat(20_000);
  const replies = eager.replies(1000);
  for (let i = 0; i < 1000; i++) await publisher.command('PUBLISH', 'busy', `${i}:${payload}`);
  expect(await replies).toHaveLength(1000);
  expect(await publisher.text('PUBSUB', 'NUMSUB', 'busy')).toBe('*2\r\n$4\r\nbusy\r\n:1\r\n');
});

it('subscriptions survive the restart of nodes', { timeout: 180_000 }, async () => {
  const own = await startRedises(2);
  const restarted = await startRingproxy({ nodes: own, allowLog: [/upstream:down/, /down/] });
  const subscriber = await RawClient.connect(restarted.port);
  const publisher = await RawClient.connect(restarted.port);
  await subscriber.command('PSUBSCRIBE', 'c:*');
  for (const node of own) {
    await node.stop();
    await node.start();
  }
  for (const node of own) {
    await expect.poll(async () => await node.client().call('PUBSUB', 'NUMPAT'), { timeout: 20_000 }).toBe(1);
  }
  const replies = subscriber.replies(20);
  for (let i = 0; i < 20; i++) {
    await expect.poll(() => publisher.text('PUBLISH', `c:${i}`, String(i)), { timeout: 20_000 }).toBe(':1\r\n');
  }
  const got = (await replies).map((reply) => reply.toString().split('\r\n').at(-2));
  expect(got).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
});

it('a node that is down does not keep clients from subscribing', { timeout: 180_000 }, async () => {
  const own = await startRedises(2);
  const half = await startRingproxy({ nodes: own, allowLog: [/down/] });
  await own[1]?.stop();
  await half.logged(/upstream:down/);
  const subscriber = await RawClient.connect(half.port);
  const channels = Array.from({ length: 10 }, (_, i) => `c:${i}`);
  await subscriber.replies(0);
  const confirmations = subscriber.replies(10);
  subscriber.send(request(['SUBSCRIBE', ...channels]));
  await confirmations;
  const publisher = await RawClient.connect(half.port);
  const results = await publisher.pipeline(channels.map((channel) => ['PUBLISH', channel, 'm']));
  const texts = results.map(String);
  expect(texts.filter((text) => text === ':1\r\n').length).toBeGreaterThan(0);
  expect(texts.filter((text) => /^-NODEDOWN node node2/.test(text)).length).toBeGreaterThan(0);
  expect(texts.every((text) => text === ':1\r\n' || text.startsWith('-NODEDOWN'))).toBe(true);
  await own[1]?.start();
  for (const channel of channels) {
    await expect.poll(() => publisher.text('PUBLISH', channel, 'm'), { timeout: 20_000 }).toBe(':1\r\n');
  }
});

it('what a node does not allow is told', async () => {
  const strict = await startRedis();
  await strict.client().call('ACL', 'SETUSER', 'default', 'resetchannels', '&open');
  const guarded = await startRingproxy({ nodes: [strict] });
  const client = await RawClient.connect(guarded.port);
  expect(await client.text('SUBSCRIBE', 'secret')).toMatch(/^-NOPERM/);
  expect(await client.text('SUBSCRIBE', 'open')).toBe('*3\r\n$9\r\nsubscribe\r\n$4\r\nopen\r\n:1\r\n');
});

/** `RINGPROXY_TEST_SUBSCRIBERS=10000` for the size that is promised. */
const MANY = Number(process.env.RINGPROXY_TEST_SUBSCRIBERS ?? 1000);

it(`${MANY} subscribers hear each message once`, { timeout: 120_000 }, async () => {
  const crowded = await startRingproxy({ nodes, config: 'max-clients: 20000\n' });
  const clients: RawClient[] = [];
  for (let i = 0; i < MANY; i += 200) {
    clients.push(...(await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(crowded.port)))));
  }
  await Promise.all(clients.map((client) => client.command('SUBSCRIBE', 'all')));
  const publisher = await RawClient.connect(crowded.port);
  const replies = clients.map((client) => client.replies(5));
  for (let i = 0; i < 5; i++) expect(await publisher.text('PUBLISH', 'all', String(i))).toBe(`:${MANY}\r\n`);
  for (const each of await Promise.all(replies)) {
    expect(each.map((reply) => reply.toString().split('\r\n').at(-2))).toEqual(['0', '1', '2', '3', '4']);
  }
  for (const client of clients) client.close();
});

it('PUBLISH and PUBSUB NUMSUB count the clients of all workers', { timeout: 180_000 }, async () => {
  const several = await startRingproxy({ nodes, args: ['--workers', '3'] });
  const subscribers = await Promise.all(Array.from({ length: 12 }, () => RawClient.connect(several.port)));
  const publishers = await Promise.all(Array.from({ length: 3 }, () => RawClient.connect(several.port)));
  await Promise.all(subscribers.map((client) => client.command('SUBSCRIBE', 'room')));
  await Promise.all(subscribers.map((client) => client.command('SUBSCRIBE', 'other')));
  await Promise.all(subscribers.slice(0, 5).map((client) => client.command('PSUBSCRIBE', 'ro*')));
  await Promise.all(subscribers.slice(0, 7).map((client) => client.command('SSUBSCRIBE', 'room')));
  for (const publisher of publishers) {
    expect(await publisher.text('PUBSUB', 'NUMSUB', 'room', 'nobody', 'other')).toBe(
      '*6\r\n$4\r\nroom\r\n:12\r\n$6\r\nnobody\r\n:0\r\n$5\r\nother\r\n:12\r\n',
    );
    expect(await publisher.text('PUBSUB', 'SHARDNUMSUB', 'room')).toBe('*2\r\n$4\r\nroom\r\n:7\r\n');
    expect(await publisher.text('SPUBLISH', 'room', 'm')).toBe(':7\r\n');
    // Answers keep their order, whether the other processes had to be asked or not.
    const replies = await publisher.pipeline([
      ['PUBLISH', 'room', 'm'],
      ['PUBLISH', 'nobody', 'm'],
      ['ECHO', 'behind'],
      ['PUBLISH', 'other', 'm'],
    ]);
    expect(replies.map(String)).toEqual([':17\r\n', ':0\r\n', '$6\r\nbehind\r\n', ':12\r\n']);
  }
});
