/**
 * Policies of groups beside what else decides about a command: users and their limits, names that are denied or others,
 * commands over several nodes, groups that change while clients go on. What is kept, waited for or made here is nobody's
 * way around any of these.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { type LateFeeds, startLateFeeds } from '../../support/late-feeds.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { ownersOf } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';

const CONFIG = `
key-groups:
  near: { prefixes: ["near:"], cache: near, near-ttl: 1h }
  flags: { prefixes: ["flag:"], cache: replicated }
  filled: { prefixes: ["fill:"], fill-wait: 20s }
  timed: { prefixes: ["timed:"], default-ttl: 1h, max-ttl: 1d }
  small: { prefixes: ["small:"], max-value-bytes: 100 }
cross-node: allow
deny-commands: [getrange, setrange]
rename-commands: { strlen: length }
users:
  default: 'on nopass ~* &* +@all'
  other: 'on >other ~other:* &* +@all'
  looks: 'on >looks %R~* &* +@read +@connection'
  slow: 'on >slow ~* &* +@all'
user-limits:
  slow: { commands: 50 }
limit-mode: refuse
`;
const NIL = '$-1\r\n';
const NO_KEY = /^-NOPERM .*key/;
const DAY = 86_400_000;
const HOUR = 3_600_000;

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

let nodes: RedisProcess[];
let feeds: LateFeeds[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  nodes = await startRedises(2);
  feeds = await Promise.all(nodes.map(({ port }) => startLateFeeds(port, 0, () => 0)));
  proxy = await startRingproxy({
    nodes: feeds.map(({ address }, i) => `node${i + 1}=${address}`),
    config: CONFIG,
  });
});

async function connect(user?: string): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  if (user !== undefined) expect(await client.text('AUTH', user, user)).toBe('+OK\r\n');
  return client;
}

async function hits(): Promise<number> {
  return (await scrape(proxy.admin)).get('ringproxy_near_requests_total{group="near",result="hit"}') ?? 0;
}

async function untilKept(client: RawClient, ...words: string[]): Promise<string> {
  for (const before = await hits(); ; ) {
    const reply = await client.text(...words);
    if ((await hits()) > before) return reply;
  }
}

/** Two keys of each prefix, the first on the first node, the second on the second one. */
async function apart(prefix: string): Promise<[string, string]> {
  const keys = Array.from({ length: 64 }, (_, i) => `${prefix}${i}`);
  const owners = await ownersOf(proxy, keys);
  const [one, other] = feeds.map(({ address }) => keys[owners.indexOf(address)]);
  if (one === undefined || other === undefined) throw new Error('all keys are on one node');
  return [one, other];
}

describe('a user without the right to a key', () => {
  it('is refused what is kept near, whatever was asked before on the connection, and in one piece with it', async () => {
    const client = await connect();
    await client.command('SET', 'near:1', 'secret');
    await untilKept(client, 'GET', 'near:1');
    const other = await connect('other');
    const refused = await other.pipeline([
      ['GET', 'near:1'],
      ['MGET', 'near:1', 'other:1'],
      ['get', 'near:1'],
    ]);
    for (const reply of refused) expect(reply.toString()).toMatch(NO_KEY);
    const before = await hits();
    const reads = Array.from({ length: 20 }, () => ['GET', 'near:1']);
    const piece = await client.pipeline([
      ...reads,
      ['AUTH', 'other', 'other'],
      ...reads,
      ['AUTH', 'slow', 'slow'],
      ...reads.slice(10),
    ]);
    const seen = piece.map(String);
    expect(new Set(seen.slice(0, 20))).toEqual(new Set([bulk('secret')]));
    expect(seen.slice(21, 41).every((reply) => NO_KEY.test(reply))).toBe(true);
    expect(new Set(seen.slice(42))).toEqual(new Set([bulk('secret')]));
    // They were answered from what is kept, and not by a node.
    expect((await hits()) - before).toBeGreaterThan(15);
  });

  it('neither waits for a fill nor is the filler', async () => {
    const [filler, other] = [await connect(), await connect('other')];
    expect(await other.text('GET', 'fill:1')).toMatch(NO_KEY);
    expect(await filler.text('GET', 'fill:1')).toBe(NIL);
    expect(await other.text('GET', 'fill:1')).toMatch(NO_KEY);
    expect(await other.text('SET', 'fill:1', 'x')).toMatch(NO_KEY);
    const waiting = (await connect()).text('GET', 'fill:1');
    await filler.command('SET', 'fill:1', 'mine');
    expect(await waiting).toBe(bulk('mine'));
  });

  it('neither reads nor writes replicated keys', async () => {
    const [client, other, looks] = [await connect(), await connect('other'), await connect('looks')];
    await client.command('SET', 'flag:1', 'on');
    for (const words of [
      ['GET', 'flag:1'],
      ['MGET', 'other:1', 'flag:1'],
      ['INCR', 'flag:2'],
      ['DEL', 'flag:1'],
    ]) {
      expect(await other.text(...words)).toMatch(NO_KEY);
    }
    expect(await looks.text('GET', 'flag:1')).toBe(bulk('on'));
    expect(await looks.text('SET', 'flag:1', 'off')).toMatch(/^-NOPERM/);
    expect(await client.text('GET', 'flag:1')).toBe(bulk('on'));
  });
});

it('what is answered from the proxy counts among what a user may send', async () => {
  const client = await connect();
  await client.command('SET', 'near:1', 'x');
  await client.command('SET', 'flag:1', 'x');
  await untilKept(client, 'GET', 'near:1');
  for (const key of ['near:1', 'flag:1']) {
    const slow = await connect('slow');
    const replies = (await slow.pipeline(Array.from({ length: 500 }, () => ['GET', key]))).map(String);
    expect(replies.filter((reply) => reply.startsWith('-LIMIT')).length).toBeGreaterThan(300);
  }
});

it('what is denied or has another name stays so on keys of every group', async () => {
  const client = await connect();
  for (const prefix of ['near:', 'flag:', 'fill:', 'small:']) {
    const key = `${prefix}named`;
    await client.command('SET', key, 'text');
    for (let i = 0; i < 5; i++) {
      expect(await client.text('GETRANGE', key, '0', '-1')).toMatch(/^-/);
      expect(await client.text('STRLEN', key)).toMatch(/^-ERR unknown command/);
      expect(await client.text('LENGTH', key)).toBe(':4\r\n');
    }
  }
  expect(await client.text('GET', 'near:named')).toBe(bulk('text'));
});

/** Commands on a key of the first node and one of the second one: what they make is at the second key. */
const OVER_NODES: readonly (readonly [make: readonly string[], run: readonly string[]])[] = [
  [
    ['SET', 'A', 'new'],
    ['RENAME', 'A', 'B'],
  ],
  [
    ['SET', 'A', 'new'],
    ['COPY', 'A', 'B', 'REPLACE'],
  ],
  [
    ['SET', 'A', 'new'],
    ['BITOP', 'OR', 'B', 'A'],
  ],
  [
    ['PFADD', 'A', 'x'],
    ['PFMERGE', 'B', 'A'],
  ],
  [
    ['SADD', 'A', 'x', 'y'],
    ['SUNIONSTORE', 'B', 'A'],
  ],
  [
    ['SADD', 'A', 'x', 'y'],
    ['SMOVE', 'A', 'B', 'x'],
  ],
  [
    ['RPUSH', 'A', 'x', 'y'],
    ['LMOVE', 'A', 'B', 'LEFT', 'LEFT'],
  ],
  [
    ['RPUSH', 'A', 'x', 'y'],
    ['BLMOVE', 'A', 'B', 'LEFT', 'LEFT', '0'],
  ],
  [
    ['RPUSH', 'A', '2', '1'],
    ['SORT', 'A', 'STORE', 'B'],
  ],
  [
    ['ZADD', 'A', '1', 'x'],
    ['ZUNIONSTORE', 'B', '1', 'A'],
  ],
  [
    ['ZADD', 'A', '1', 'x'],
    ['ZRANGESTORE', 'B', 'A', '0', '-1'],
  ],
  [
    ['DEL', 'A'],
    ['MSETNX', 'A', 'new', 'B', 'new'],
  ],
];

describe('a command over two nodes', () => {
  const named = (words: readonly string[], a: string, b: string): string[] =>
    words.map((word) => (word === 'A' ? a : word === 'B' ? b : word));

  it('ends what is kept of the key that it makes, before anybody is told', async () => {
    const [a, b] = await apart('near:apart:');
    const client = await connect();
    for (const [make, run] of OVER_NODES) {
      await client.pipeline([['DEL', a, b], named(make, a, b)]);
      expect(await untilKept(client, 'TYPE', b)).toBe('+none\r\n');
      for (const feed of feeds) feed.hold();
      const [ran, type] = (await client.pipeline([named(run, a, b), ['TYPE', b]])).map(String);
      expect(ran, run[0]).not.toMatch(/^-/);
      expect(type, run[0]).not.toBe('+none\r\n');
      expect(await client.text('TYPE', b), run[0]).toBe(type);
      for (const feed of feeds) feed.release();
    }
  });

  it('gives the key that it makes the time to live of its group', async () => {
    const [a] = await apart('plain:');
    const [, b] = await apart('timed:');
    const client = await connect();
    for (const [make, run] of OVER_NODES) {
      await client.pipeline([['DEL', a, b], named(make, a, b)]);
      const [ran, left] = (await client.pipeline([named(run, a, b), ['PTTL', b]])).map(String);
      expect(ran, run[0]).not.toMatch(/^-/);
      const wanted = ['RENAME', 'COPY'].includes(run[0] as string) ? DAY : HOUR;
      expect(Number(left?.slice(1)), `${run[0]}: ${left}`).toBeGreaterThan(HOUR - 60_000);
      expect(Number(left?.slice(1)), `${run[0]}: ${left}`).toBeLessThanOrEqual(wanted);
    }
  });

  it('on a replicated key is refused, and leaves the other one as it was', async () => {
    const [a] = await apart('plain:');
    const client = await connect();
    for (const [make, run] of OVER_NODES) {
      await client.pipeline([['DEL', a, 'flag:b'], named(make, a, 'flag:b')]);
      const before = await client.text('TYPE', a);
      const [ran, type, exists] = (
        await client.pipeline([named(run, a, 'flag:b'), ['TYPE', a], ['EXISTS', 'flag:b']])
      ).map(String);
      expect(ran, run[0]).toMatch(/^-/);
      expect([type, exists], run[0]).toEqual([before, ':0\r\n']);
    }
    for (const node of nodes) expect(await node.client().exists('flag:b')).toBe(0);
  });
});
