/** MULTI, EXEC, DISCARD, WATCH and UNWATCH: what a single Redis answers, byte for byte. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let single: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;
let refusing: RingproxyProcess;

beforeAll(async () => {
  single = await startRedis();
  nodes = await startRedises(3);
  proxy = await startRingproxy({ nodes });
  refusing = await startRingproxy({ nodes: await startRedises(2), args: ['--cross-node', 'refuse'] });
});

type Words = readonly (string | Uint8Array)[];

/** A conversation of one client, or of two: a command of the second one begins with `other:`. */
const CONVERSATIONS: Readonly<Record<string, readonly Words[]>> = {
  'a transaction': [
    ['SET', '{t}a', '1'],
    ['MULTI'],
    ['INCR', '{t}a'],
    ['RPUSH', '{t}l', 'x', 'y'],
    ['LRANGE', '{t}l', '0', '-1'],
    ['GET', '{t}missing'],
    ['HSET', '{t}h', 'f', 'v'],
    ['HGETALL', '{t}h'],
    ['EXEC'],
    ['GET', '{t}a'],
  ],
  'an empty transaction': [['MULTI'], ['EXEC'], ['PING']],
  'an error while it runs, which does not stop the others': [
    ['SET', '{t}s', 'text'],
    ['MULTI'],
    ['SET', '{t}x', '1'],
    ['LPUSH', '{t}s', 'x'],
    ['INCRBY', '{t}x', 'nonsense'],
    ['SET', '{t}y', '2'],
    ['EXEC'],
    ['MGET', '{t}x', '{t}y'],
  ],
  DISCARD: [['SET', '{t}a', '1'], ['MULTI'], ['INCR', '{t}a'], ['DISCARD'], ['GET', '{t}a'], ['EXEC'], ['DISCARD']],
  'a nested MULTI, which does no harm': [['MULTI'], ['SET', '{t}a', '1'], ['MULTI'], ['EXEC'], ['EXEC']],
  'WATCH between MULTI and EXEC, which does no harm': [['MULTI'], ['WATCH', '{t}a'], ['SET', '{t}a', '1'], ['EXEC']],
  'an unknown command': [
    ['MULTI'],
    ['SET', '{t}never', '1'],
    ['NOSUCH', 'a', 'b'],
    ['SET', '{t}b', '1'],
    ['EXEC'],
    ['EXISTS', '{t}never'],
  ],
  'a command with the wrong number of arguments': [['MULTI'], ['GET'], ['SET', '{t}a', '1'], ['EXEC'], ['PING']],
  'an unknown subcommand': [['MULTI'], ['OBJECT', 'NOSUCH', '{t}a'], ['EXEC']],
  'an EXEC with arguments': [['MULTI'], ['SET', '{t}a', '1'], ['EXEC', 'x'], ['EXEC'], ['MULTI'], ['EXEC']],
  'a DISCARD with arguments': [['MULTI'], ['DISCARD', 'x'], ['EXEC'], ['DISCARD']],
  'what Redis has in no transaction': [['MULTI'], ['SAVE'], ['EXEC'], ['MULTI'], ['SHUTDOWN'], ['EXEC']],
  'a script that is loaded': [
    ['MULTI'],
    ['SCRIPT', 'LOAD', 'return KEYS[1]'],
    ['EXEC'],
    ...Array.from({ length: 20 }, (_, i) => ['EVALSHA', '4a2267357833227dd98abdedb8cf24b15a986445', '1', `k${i}`]),
  ],
  'an EXECABORT clears everything': [['MULTI'], ['NOSUCH'], ['EXEC'], ['MULTI'], ['SET', '{t}a', '9'], ['EXEC']],
  'commands without keys': [
    ['SET', '{t}a', '1'],
    ['MULTI'],
    ['PING'],
    ['PING', 'hello'],
    ['ECHO', 'text'],
    ['GET', '{t}a'],
    ['UNWATCH'],
    ['WAIT', '0', '0'],
    ['EXEC'],
  ],
  'commands without keys alone': [['MULTI'], ['PING'], ['ECHO', 'x'], ['EXEC']],
  'commands with several keys': [
    ['MULTI'],
    ['MSET', '{t}a', '1', '{t}b', '2'],
    ['MGET', '{t}a', '{t}b', '{t}c'],
    ['RENAME', '{t}a', '{t}d'],
    ['DEL', '{t}b', '{t}c', '{t}d'],
    ['EXISTS', '{t}b', '{t}d'],
    ['EVAL', 'return {KEYS[1], ARGV[1]}', '1', '{t}k', 'v'],
    ['EXEC'],
  ],
  'commands that would block do not': [
    ['MULTI'],
    ['BLPOP', '{t}l', '0'],
    ['BRPOP', '{t}l', '0'],
    ['BLMOVE', '{t}l', '{t}m', 'LEFT', 'RIGHT', '0'],
    ['BRPOPLPUSH', '{t}l', '{t}m', '0'],
    ['BLMPOP', '0', '1', '{t}l', 'LEFT'],
    ['BZPOPMIN', '{t}z', '0'],
    ['BZMPOP', '0', '1', '{t}z', 'MIN'],
    ['XREAD', 'BLOCK', '0', 'STREAMS', '{t}s', '$'],
    ['EXEC'],
  ],
  'a watched key that nobody changes': [
    ['SET', '{t}a', '1'],
    ['WATCH', '{t}a', '{t}b'],
    ['WATCH', '{t}c'],
    ['GET', '{t}a'],
    ['MULTI'],
    ['INCR', '{t}a'],
    ['EXEC'],
    ['other:SET', '{t}a', '5'],
    ['MULTI'],
    ['INCR', '{t}a'],
    ['EXEC'],
  ],
  'a watched key that another client changes': [
    ['WATCH', '{t}a'],
    ['other:SET', '{t}a', '5'],
    ['MULTI'],
    ['INCR', '{t}a'],
    ['EXEC'],
    ['GET', '{t}a'],
    ['MULTI'],
    ['INCR', '{t}a'],
    ['EXEC'],
  ],
  'a watched key that the client itself changes': [
    ['WATCH', '{t}a'],
    ['SET', '{t}a', '5'],
    ['MULTI'],
    ['PING'],
    ['EXEC'],
  ],
  'a watched key and no commands': [
    ['WATCH', '{t}a'],
    ['other:SET', '{t}a', '5'],
    ['MULTI'],
    ['EXEC'],
    ['WATCH', '{t}a'],
    ['MULTI'],
    ['EXEC'],
  ],
  'UNWATCH and DISCARD forget': [
    ['UNWATCH'],
    ['WATCH', '{t}a'],
    ['other:SET', '{t}a', '5'],
    ['UNWATCH'],
    ['MULTI'],
    ['GET', '{t}a'],
    ['EXEC'],
    ['WATCH', '{t}a'],
    ['other:SET', '{t}a', '6'],
    ['MULTI'],
    ['DISCARD'],
    ['MULTI'],
    ['GET', '{t}a'],
    ['EXEC'],
  ],
  'a failed EXEC forgets': [
    ['WATCH', '{t}a'],
    ['MULTI'],
    ['NOSUCH'],
    ['EXEC'],
    ['other:SET', '{t}a', '1'],
    ['MULTI'],
    ['PING'],
    ['EXEC'],
  ],
  'a watched key, and FLUSHALL': [['SET', '{t}a', '1'], ['WATCH', '{t}a'], ['FLUSHALL'], ['MULTI'], ['PING'], ['EXEC']],
  'FLUSHALL and FLUSHDB, with keys of every node': [
    ...Array.from({ length: 20 }, (_, i) => ['SET', `k${i}`, 'x']),
    ['SELECT', '1'],
    ...Array.from({ length: 20 }, (_, i) => ['SET', `k${i}`, 'x']),
    ['SELECT', '0'],
    ['MULTI'],
    ['SET', '{t}a', '1'],
    ['SELECT', '1'],
    ['FLUSHDB'],
    ['SELECT', '0'],
    ['GET', '{t}a'],
    ['FLUSHDB', 'NONSENSE'],
    ['EXEC'],
    ['DBSIZE'],
    ['SELECT', '1'],
    ['DBSIZE'],
    ['MULTI'],
    ['FLUSHALL', 'ASYNC'],
    ['EXEC'],
    ['SELECT', '0'],
    ['DBSIZE'],
  ],
  'FLUSHALL in a transaction that is void': [
    ...Array.from({ length: 20 }, (_, i) => ['SET', `k${i}`, 'x']),
    ['MULTI'],
    ['FLUSHALL'],
    ['NOSUCH'],
    ['EXEC'],
    ['WATCH', 'k1'],
    ['other:SET', 'k1', 'y'],
    ['MULTI'],
    ['FLUSHALL'],
    ['EXEC'],
    ['DBSIZE'],
  ],
  // Symptom: they were refused. Cause: the proxy answers them, and the transaction's replies are a node's.
  'what the proxy answers itself': [
    ['MULTI'],
    ['SET', '{t}a', '1'],
    ['CLIENT', 'SETNAME', 'inside'],
    ['CLIENT', 'GETNAME'],
    ['CLIENT', 'SETNAME', 'not valid'],
    ['CLIENT', 'NO-EVICT', 'maybe'],
    ['ACL', 'WHOAMI'],
    ['ROLE'],
    ['CLIENT', 'GETREDIR'],
    ['GET', '{t}a'],
    ['EXEC'],
    ['CLIENT', 'GETNAME'],
    ['MULTI'],
    ['CLIENT', 'SETNAME', 'never'],
    ['DISCARD'],
    ['CLIENT', 'GETNAME'],
    ['MULTI'],
    ['CLIENT', 'GETNAME'],
    ['EXEC'],
  ],
  RESET: [['WATCH', '{t}a'], ['MULTI'], ['SET', '{t}a', '1'], ['RESET'], ['EXEC'], ['EXISTS', '{t}a']],
  'SELECT between MULTI and EXEC': [
    ['MULTI'],
    ['SET', '{t}a', 'zero'],
    ['SELECT', '1'],
    ['SET', '{t}a', 'one'],
    ['SELECT', '99'],
    ['SELECT', 'x'],
    ['EXEC'],
    ['GET', '{t}a'],
    ['other:GET', '{t}a'],
    ['SELECT', '0'],
    ['GET', '{t}a'],
    ['MULTI'],
    ['SELECT', '1'],
    ['NOSUCH'],
    ['EXEC'],
    ['GET', '{t}a'],
  ],
  'a database chosen after WATCH': [
    ['WATCH', '{t}a'],
    ['SELECT', '2'],
    ['MULTI'],
    ['SET', '{t}a', 'two'],
    ['EXEC'],
    ['GET', '{t}a'],
    ['SELECT', '0'],
    ['WATCH', '{t}a'],
    ['SELECT', '2'],
    ['other:SET', '{t}a', 'x'],
    ['MULTI'],
    ['SET', '{t}a', 'three'],
    ['EXEC'],
    ['GET', '{t}a'],
  ],
};

/** The same, with keys on any nodes. These have commands that need theirs on one. */
const OF_ONE_NODE = ['commands with several keys', 'commands that would block do not'];
const ANYWHERE = Object.keys(CONVERSATIONS).filter((title) => !OF_ONE_NODE.includes(title));

describe.each(['2', '3'])('RESP%s', (protocol) => {
  /** What is said on both sides, of a single Redis and of the proxy. */
  const hold = (conversation: readonly Words[]): Promise<string[][]> =>
    Promise.all(
      [single.port, proxy.port].map(async (port) => {
        const client = await RawClient.connect(port);
        const other = await RawClient.connect(port);
        await client.command('FLUSHALL');
        await client.command('HELLO', protocol);
        const replies: string[] = [];
        for (const words of conversation) {
          const [name = '', ...rest] = words;
          const [who, text] = String(name).startsWith('other:') ? [other, String(name).slice(6)] : [client, name];
          replies.push(`${words.join(' ')} -> ${await who.text(text, ...rest)}`);
        }
        return replies;
      }),
    );

  it.each(Object.keys(CONVERSATIONS))('%s', async (title) => {
    const told = await hold(CONVERSATIONS[title] ?? []);
    expect(told[1]).toEqual(told[0]);
  });

  it.each(ANYWHERE)('%s, with keys on several nodes', async (title) => {
    const untied = (word: string | Uint8Array): string => String(word).replaceAll('{t}', '');
    const told = await hold((CONVERSATIONS[title] ?? []).map((words) => words.map(untied)));
    expect(told[1]).toEqual(told[0]);
  });

  it('a pipeline of transactions is answered in order', async () => {
    const commands = Array.from({ length: 200 }, (_, i) => [
      ['SET', `{p${i}}a`, String(i)],
      ['WATCH', `{p${i}}a`],
      ['GET', `{p${i}}a`],
      ['MULTI'],
      ['INCR', `{p${i}}a`],
      ['EXEC'],
      ['MULTI'],
      ['GET', `{p${i}}a`],
      ['EXEC'],
    ]).flat();
    const told = await Promise.all(
      [single.port, proxy.port].map(async (port) => {
        const client = await RawClient.connect(port);
        await client.command('HELLO', protocol);
        return (await client.pipeline(commands)).map(String);
      }),
    );
    expect(told[1]).toEqual(told[0]);
  });

  it('large values go in and come out', { timeout: 180_000 }, async () => {
    const client = await RawClient.connect(proxy.port);
    await client.command('HELLO', protocol);
    const value = randomBytes(5_000_000);
    expect(await client.text('MULTI')).toBe('+OK\r\n');
    expect(await client.text('SET', '{big}a', value)).toBe('+QUEUED\r\n');
    expect(await client.text('GET', '{big}a')).toBe('+QUEUED\r\n');
    const reply = await client.command('EXEC');
    expect(reply.equals(Buffer.concat([Buffer.from('*2\r\n+OK\r\n$5000000\r\n'), value, Buffer.from('\r\n')]))).toBe(
      true,
    );
  });
});

/** Two keys with different owners. */
async function apart(): Promise<[string, string]> {
  const keys = Array.from({ length: 50 }, (_, i) => `apart:${i}`);
  const owners = await ownersOf(refusing, keys);
  const other = owners.findIndex((owner) => owner !== owners[0]);
  return [keys[0] as string, keys[other] as string];
}

const CROSSSLOT =
  "-CROSSSLOT Keys in request don't hash to the same node (cross-node: allow lets most commands run so)\r\n";
const EXECABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n';

describe('keys of several nodes, where that is refused', () => {
  it('are refused when they are queued, and EXEC says that the transaction is void', async () => {
    const [a, b] = await apart();
    const client = await RawClient.connect(refusing.port);
    expect(
      (await client.pipeline([['DEL', a, b], ['MULTI'], ['SET', a, '1'], ['SET', b, '1'], ['EXEC']])).map(String),
    ).toEqual([expect.stringMatching(/^:/), '+OK\r\n', '+QUEUED\r\n', CROSSSLOT, EXECABORT]);
    expect(await client.text('EXISTS', a, b)).toBe(':0\r\n');
    expect((await client.pipeline([['MULTI'], ['MGET', a, b], ['EXEC']])).map(String)).toEqual([
      '+OK\r\n',
      CROSSSLOT,
      EXECABORT,
    ]);
  });

  it('cannot be watched', async () => {
    const [a, b] = await apart();
    const client = await RawClient.connect(refusing.port);
    expect(await client.text('WATCH', a, b)).toBe(CROSSSLOT);
    expect(await client.text('WATCH', a)).toBe('+OK\r\n');
    expect(await client.text('WATCH', b)).toBe(CROSSSLOT);
    expect((await client.pipeline([['MULTI'], ['SET', b, '1'], ['EXEC']])).map(String)).toEqual([
      '+OK\r\n',
      CROSSSLOT,
      EXECABORT,
    ]);
  });
});

describe('what is in no transaction', () => {
  it.each([['DBSIZE'], ['KEYS', '*'], ['RANDOMKEY'], ['LASTSAVE']])(
    '%s concerns all nodes: it is refused',
    async (...words) => {
      const client = await RawClient.connect((words[0] === 'LASTSAVE' ? proxy : refusing).port);
      await client.command('MULTI');
      expect(await client.text(...words)).toMatch(/^-CROSSSLOT .* concerns all nodes/);
      expect(await client.text('EXEC')).toBe(EXECABORT);
    },
  );

  it.each([
    ['CLIENT', 'LIST'],
    ['HELLO', '3'],
    ['CONFIG', 'SET', 'maxmemory', '0'],
  ])('%s %s is refused with its reason', async (...words) => {
    const client = await RawClient.connect(proxy.port);
    await client.command('MULTI');
    expect(await client.text(...words)).toMatch(/^-ERR .* is not allowed .*through the proxy: /);
    expect(await client.text('EXEC')).toBe(EXECABORT);
  });

  it('INFO and TIME are those of the node', async () => {
    const client = await RawClient.connect(proxy.port);
    const replies = await client.pipeline([['MULTI'], ['SET', 'k', '1'], ['INFO', 'server'], ['TIME'], ['EXEC']]);
    expect(String(replies[4])).toMatch(/^\*3\r\n\+OK\r\n\$\d+\r\n# Server/);
  });
});

// Symptom: MULTI, FLUSHALL, EXEC was refused. Cause: a transaction runs on one node, and nothing carried it to the others.
describe('FLUSHALL in a transaction', () => {
  it('is overtaken by nothing, in front of it or behind it', async () => {
    const client = await RawClient.connect(proxy.port);
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    for (let round = 0; round < 20; round++) {
      const replies = await client.pipeline([
        ...keys.map((key) => ['SET', key, 'before']),
        ['MULTI'],
        ['FLUSHALL'],
        ['EXEC'],
        ...keys.map((key) => ['SET', `behind:${key}`, 'x']),
        ['DBSIZE'],
      ]);
      expect(replies.at(keys.length + 2)?.toString()).toBe('*1\r\n+OK\r\n');
      expect(replies.at(-1)?.toString()).toBe(`:${keys.length}\r\n`);
    }
  });

  it('says which node it has not reached', async () => {
    const three = await startRedises(3);
    const fragile = await startRingproxy({ nodes: three, allowLog: [/down/] });
    const client = await RawClient.connect(fragile.port);
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    const owners = await ownersOf(fragile, keys);
    const key = keys[owners.indexOf(three[0]?.address ?? '')] ?? '';
    await client.command('SET', key, '1');
    await three[2]?.stop();
    for (let i = 0; i < 2; i++) {
      const replies = await client.pipeline([['MULTI'], ['GET', key], ['FLUSHALL'], ['SET', key, '1'], ['EXEC']]);
      expect(String(replies.at(-1))).toMatch(/^\*3\r\n\$1\r\n1\r\n-NODEDOWN node node3 [^\r]*\r\n\+OK\r\n$/);
    }
    expect(await client.text('GET', key)).toBe('$1\r\n1\r\n');
  });

  it('is carried out at all nodes when its client has left before', async () => {
    const client = await RawClient.connect(proxy.port);
    const other = await RawClient.connect(proxy.port);
    for (let i = 0; i < 20; i++) await other.command('SET', `k${i}`, 'x');
    await client.command('MULTI');
    await client.command('FLUSHALL');
    client.send('EXEC\r\n');
    client.socket.end();
    await expect.poll(() => other.text('DBSIZE')).toBe(':0\r\n');
  });
});

describe('a node that refuses a queued command', () => {
  it('says why', async () => {
    const [node] = await startRedises(1, { args: ['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction'] });
    const full = await startRingproxy({ nodes: [node as RedisProcess], allowLog: [/upstream:impaired.*OOM/] });
    const client = await RawClient.connect(full.port);
    for (let i = 0; i < 40; i++) await client.command('SET', `k${i}`, randomBytes(50_000));
    const replies = await client.pipeline([['MULTI'], ['SET', 'k', randomBytes(50_000)], ['EXEC'], ['PING']]);
    expect(replies.map(String)).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      expect.stringMatching(/^-EXECABORT Transaction discarded because of: OOM command not allowed/),
      '+PONG\r\n',
    ]);
  });
});

describe('a client that leaves', () => {
  it('leaves no watched key behind on the connection that others use next', async () => {
    const before = await Promise.all(nodes.map((node) => node.client().info('clients')));
    for (let i = 0; i < 300; i++) {
      const client = await RawClient.connect(proxy.port);
      await client.command('WATCH', '{left}a');
      await client.command('MULTI');
      client.close();
    }
    const next = await RawClient.connect(proxy.port);
    expect(await next.text('WATCH', '{left}b')).toBe('+OK\r\n');
    const writer = await RawClient.connect(proxy.port);
    await writer.command('SET', '{left}a', '1');
    expect((await next.pipeline([['MULTI'], ['PING'], ['EXEC']])).map(String)).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n+PONG\r\n',
    ]);
    const after = await Promise.all(nodes.map((node) => node.client().info('clients')));
    const count = (infos: string[]): number =>
      infos.reduce((sum, info) => sum + Number(/connected_clients:(\d+)/.exec(info)?.[1]), 0);
    // The connections are used again and again, however many clients there were.
    expect(count(after) - count(before)).toBeLessThan(30);
  });
});

describe('private connections', () => {
  it('are waited for when all are in use, and the client is told when it takes too long', async () => {
    const [node] = await startRedises(1);
    const small = await startRingproxy({
      nodes: [node as RedisProcess],
      config: 'node-private-connections: 2\nrequest-timeout: 3s\n',
    });
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => RawClient.connect(small.port)));
    if (first === undefined || second === undefined || third === undefined) throw new Error('no clients');
    for (const client of [first, second]) expect(await client.text('WATCH', 'k')).toBe('+OK\r\n');
    expect(await third.text('WATCH', 'k')).toMatch(/^-TRYAGAIN all private connections to node node1 are in use/);
    const waiting = third.text('WATCH', 'k');
    expect(await first.text('UNWATCH')).toBe('+OK\r\n');
    expect(await waiting).toBe('+OK\r\n');
  });
});

describe('a node that goes away', () => {
  it('voids what was watched there, and everything works when it is back', async () => {
    const [node, other] = await startRedises(2);
    const fragile = await startRingproxy({
      nodes: [node as RedisProcess, other as RedisProcess],
      allowLog: [/node is down/, /down/],
    });
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    const owners = await ownersOf(fragile, keys);
    const key = keys[owners.indexOf((node as RedisProcess).address)] as string;
    const client = await RawClient.connect(fragile.port);
    await client.command('WATCH', key);
    await client.command('MULTI');
    expect(await client.text('SET', key, '1')).toBe('+QUEUED\r\n');
    await node?.stop();
    expect(await client.text('EXEC')).toMatch(/^(-NODEDOWN node node1|\*-1)/);
    expect(await client.text('EXEC')).toBe('-ERR EXEC without MULTI\r\n');
    expect((await client.pipeline([['MULTI'], ['SET', key, '1'], ['EXEC']])).map(String)).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      expect.stringMatching(/^-NODEDOWN node node1/),
    ]);
    await node?.start();
    for (;;) {
      const replies = (await client.pipeline([['WATCH', key], ['MULTI'], ['SET', key, '1'], ['EXEC']])).map(String);
      if (replies[3] === '*1\r\n+OK\r\n') break;
      expect(replies[3]).toMatch(/^(-NODEDOWN|\*-1)/);
    }
  });
});
