/** Times to live and sizes that a group says: what a single Redis without them answers, byte for byte, and what keys have then. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCommandTable } from '../../../../src/commands/build.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { add, fill, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const DAY = 86_400_000;
const WEEK = 7 * DAY;

const CONFIG = `
key-groups:
  plain: "plain:"
  default: { prefixes: ["{d}", "d:"], default-ttl: 1d }
  capped: { prefixes: ["{m}"], max-ttl: 1d }
  both: { prefixes: ["{b}"], default-ttl: 1d, max-ttl: 7d }
  spread: { prefixes: ["{j}", "j:"], default-ttl: 1d, ttl-jitter: 50% }
  small: { prefixes: ["{s}", "s:"], max-value-bytes: 100, default-ttl: 1d }
  large: { prefixes: ["l:"], max-value-bytes: 4mb, max-ttl: 1d, default-ttl: 1h }
stream-threshold: 1mb
`;

let single: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  single = await startRedis();
  nodes = await startRedises(2);
  proxy = await startRingproxy({ nodes, config: CONFIG });
});

type Words = readonly (string | Uint8Array)[];

/** The milliseconds that each key has left on the nodes; -1: for ever, -2: it is not there. */
async function ttls(...keys: string[]): Promise<number[]> {
  const client = proxy.client();
  return Promise.all(keys.map((key) => client.pttl(key)));
}

/** Commands, as one pipeline, to the proxy and to a single Redis. @returns that they answer the same */
async function alike(commands: readonly Words[]): Promise<void> {
  const [through, plain] = await Promise.all([RawClient.connect(proxy.port), RawClient.connect(single.port)]);
  const answers = await through.pipeline(commands);
  expect(answers.map(String)).toEqual((await plain.pipeline(commands)).map(String));
  through.close();
  plain.close();
}

const SCRIPT = "return redis.call('SET', KEYS[1], 'v')";
const LIBRARY = `#!lua name=lib\nredis.register_function('makes', function(keys) return redis.call('SET', keys[1], 'v') end)`;
/** Of the string `v`, by a Redis 7.0. */
const DUMP = Buffer.from('0001760a009108ceb219388ace', 'hex');

/** What makes a key `KEY` of any type, after what must be there. */
const MAKERS: Readonly<Record<string, readonly Words[]>> = {
  SET: [['SET', 'KEY', 'v']],
  'SET inline': [['set', 'KEY', 'v', 'nx', 'get']],
  'SET KEEPTTL': [['SET', 'KEY', 'v', 'KEEPTTL']],
  SETNX: [['SETNX', 'KEY', 'v']],
  GETSET: [['GETSET', 'KEY', 'v']],
  MSET: [['MSET', 'KEY', 'v', 'OTHER', 'w']],
  MSETNX: [['MSETNX', 'KEY', 'v', 'OTHER', 'w']],
  APPEND: [['APPEND', 'KEY', 'v']],
  INCR: [['INCR', 'KEY']],
  INCRBY: [['INCRBY', 'KEY', '2']],
  DECR: [['DECR', 'KEY']],
  DECRBY: [['DECRBY', 'KEY', '2']],
  INCRBYFLOAT: [['INCRBYFLOAT', 'KEY', '1.5']],
  SETRANGE: [['SETRANGE', 'KEY', '2', 'v']],
  SETBIT: [['SETBIT', 'KEY', '7', '1']],
  BITFIELD: [['BITFIELD', 'KEY', 'SET', 'u8', '0', '1']],
  BITOP: [
    ['SET', 'OTHER', 'v'],
    ['BITOP', 'NOT', 'KEY', 'OTHER'],
  ],
  PFADD: [['PFADD', 'KEY', 'a']],
  PFMERGE: [['PFMERGE', 'KEY', 'OTHER']],
  HSET: [['HSET', 'KEY', 'f', 'v']],
  HMSET: [['HMSET', 'KEY', 'f', 'v']],
  HSETNX: [['HSETNX', 'KEY', 'f', 'v']],
  HINCRBYFLOAT: [['HINCRBYFLOAT', 'KEY', 'f', '1.5']],
  HINCRBY: [['HINCRBY', 'KEY', 'f', '1']],
  LPUSH: [['LPUSH', 'KEY', 'a', 'b']],
  RPUSH: [['RPUSH', 'KEY', 'a']],
  RPOPLPUSH: [
    ['RPUSH', 'OTHER', 'a', 'b'],
    ['RPOPLPUSH', 'OTHER', 'KEY'],
  ],
  BRPOPLPUSH: [
    ['RPUSH', 'OTHER', 'a', 'b'],
    ['BRPOPLPUSH', 'OTHER', 'KEY', '0'],
  ],
  BLMOVE: [
    ['RPUSH', 'OTHER', 'a', 'b'],
    ['BLMOVE', 'OTHER', 'KEY', 'LEFT', 'LEFT', '0'],
  ],
  LMOVE: [
    ['RPUSH', 'OTHER', 'a', 'b'],
    ['LMOVE', 'OTHER', 'KEY', 'LEFT', 'LEFT'],
  ],
  SADD: [['SADD', 'KEY', 'a']],
  SMOVE: [
    ['SADD', 'OTHER', 'a', 'b'],
    ['SMOVE', 'OTHER', 'KEY', 'a'],
  ],
  SINTERSTORE: [
    ['SADD', 'OTHER', 'a'],
    ['SINTERSTORE', 'KEY', 'OTHER'],
  ],
  SDIFFSTORE: [
    ['SADD', 'OTHER', 'a'],
    ['SDIFFSTORE', 'KEY', 'OTHER'],
  ],
  SUNIONSTORE: [
    ['SADD', 'OTHER', 'a'],
    ['SUNIONSTORE', 'KEY', 'OTHER'],
  ],
  ZADD: [['ZADD', 'KEY', '1', 'a']],
  ZINCRBY: [['ZINCRBY', 'KEY', '1', 'a']],
  ZUNIONSTORE: [
    ['ZADD', 'OTHER', '1', 'a'],
    ['ZUNIONSTORE', 'KEY', '1', 'OTHER'],
  ],
  ZINTERSTORE: [
    ['ZADD', 'OTHER', '1', 'a'],
    ['ZINTERSTORE', 'KEY', '1', 'OTHER'],
  ],
  ZDIFFSTORE: [
    ['ZADD', 'OTHER', '1', 'a'],
    ['ZDIFFSTORE', 'KEY', '1', 'OTHER'],
  ],
  ZRANGESTORE: [
    ['ZADD', 'OTHER', '1', 'a'],
    ['ZRANGESTORE', 'KEY', 'OTHER', '0', '-1'],
  ],
  GEOADD: [['GEOADD', 'KEY', '13.36', '38.11', 'Palermo']],
  GEORADIUS: [
    ['GEOADD', 'OTHER', '13.36', '38.11', 'Palermo'],
    ['GEORADIUS', 'OTHER', '13', '38', '200', 'km', 'STORE', 'KEY'],
  ],
  GEORADIUSBYMEMBER: [
    ['GEOADD', 'OTHER', '13.36', '38.11', 'Palermo'],
    ['GEORADIUSBYMEMBER', 'OTHER', 'Palermo', '200', 'km', 'STOREDIST', 'KEY'],
  ],
  GEOSEARCHSTORE: [
    ['GEOADD', 'OTHER', '13.36', '38.11', 'Palermo'],
    ['GEOSEARCHSTORE', 'KEY', 'OTHER', 'FROMMEMBER', 'Palermo', 'BYRADIUS', '200', 'km'],
  ],
  XADD: [['XADD', 'KEY', '1-1', 'f', 'v']],
  'XGROUP CREATE': [['XGROUP', 'CREATE', 'KEY', 'g', '$', 'MKSTREAM']],
  SORT: [
    ['RPUSH', 'OTHER', '2', '1'],
    ['SORT', 'OTHER', 'STORE', 'KEY'],
  ],
  RENAME: [
    ['SET', 'OTHER', 'v'],
    ['RENAME', 'OTHER', 'KEY'],
  ],
  RENAMENX: [
    ['SET', 'OTHER', 'v'],
    ['RENAMENX', 'OTHER', 'KEY'],
  ],
  RESTORE: [['RESTORE', 'KEY', '0', DUMP]],
  COPY: [
    ['SET', 'OTHER', 'v', 'EX', '86400'],
    ['COPY', 'OTHER', 'KEY'],
  ],
  EVALSHA: [
    ['SCRIPT', 'LOAD', SCRIPT],
    ['EVALSHA', createHash('sha1').update(SCRIPT).digest('hex'), '1', 'KEY'],
  ],
  FCALL: [
    ['FUNCTION', 'LOAD', 'REPLACE', LIBRARY],
    ['FCALL', 'makes', '1', 'KEY'],
  ],
  EVAL: [['EVAL', "return redis.call('SET', KEYS[1], 'v')", '1', 'KEY']],
  'a transaction': [['MULTI'], ['SET', 'OTHER', 'v'], ['HSET', 'KEY', 'f', 'v'], ['HGET', 'KEY', 'f'], ['EXEC']],
};

/** Commands that write, and neither make a key nor take its time to live from it, however they are called. */
const MAKE_NONE = [
  ...['blmpop', 'blpop', 'brpop', 'bzmpop', 'bzpopmax', 'bzpopmin', 'del', 'flushall', 'flushdb', 'getdel', 'hdel'],
  ...['linsert', 'lmpop', 'lpop', 'lpushx', 'lrem', 'lset', 'ltrim', 'rpop', 'rpushx', 'spop', 'srem', 'unlink'],
  ...['xack', 'xautoclaim', 'xclaim', 'xdel', 'xgroup|createconsumer', 'xgroup|delconsumer', 'xgroup|destroy'],
  ...['xgroup|setid', 'xreadgroup', 'xsetid', 'xtrim', 'zmpop', 'zpopmax', 'zpopmin', 'zrem', 'zremrangebylex'],
  ...['zremrangebyrank', 'zremrangebyscore'],
  // Libraries of functions, and what is refused to clients, or by nodes that are no clusters.
  ...['function|delete', 'function|flush', 'function|load', 'function|restore', 'migrate', 'pfdebug', 'restore-asking'],
  ...['swapdb'],
];

function withKeys(commands: readonly Words[], group: string, id: number): Words[] {
  const names: Readonly<Record<string, string>> = { KEY: `{${group}}${id}`, OTHER: `{${group}}${id}:other` };
  return commands.map((words) => words.map((word) => (typeof word === 'string' ? (names[word] ?? word) : word)));
}

describe('default-ttl', () => {
  it('is given to a key that is made without one, whatever makes it, and nobody sees how', async () => {
    const makers = Object.values(MAKERS);
    await alike(makers.flatMap((commands, id) => withKeys(commands, 'd', id)));
    const found = await ttls(...makers.map((_, id) => `{d}${id}`));
    const wrong = Object.keys(MAKERS).filter((_, id) => !((found[id] ?? 0) > DAY - 60_000 && (found[id] ?? 0) <= DAY));
    expect(wrong).toEqual([]);
  });

  it('is given by every command of the table that may make a key', async () => {
    const known = new Set((await single.client().call('COMMAND', 'LIST')) as string[]);
    const rows = [...buildCommandTable().rows()]
      .filter(({ name }) => known.has(name))
      .flatMap((row) => [row, ...(row.subcommands?.rows() ?? [])]);
    const made = new Set(
      Object.values(MAKERS)
        .flat()
        .flatMap(([name, sub]) => [String(name).toLowerCase(), `${String(name)}|${String(sub)}`.toLowerCase()]),
    );
    const makers = rows.filter(({ ttlBehind }) => ttlBehind?.isNew === true).map(({ name }) => name);
    expect(makers.filter((name) => !made.has(name) && name !== 'move')).toEqual([]);
    const others = rows.filter(({ write, ttlBehind, ttlGiven }) => write && ttlBehind === null && ttlGiven === null);
    expect(others.map(({ name }) => name).sort()).toEqual([...MAKE_NONE].sort());
  });

  it('is given in the database that a key is moved or copied to', async () => {
    await alike([
      ['SET', '{d}moved', 'v', 'EX', '100'],
      ['PERSIST', '{d}moved'],
      ['MOVE', '{d}moved', '3'],
      ['SET', 'plain{d}', 'v'],
      ['COPY', 'plain{d}', '{d}copied', 'DB', '3'],
      ['MULTI'],
      ['COPY', 'plain{d}', '{d}queued', 'DB', '3'],
      ['EXEC'],
      ['MOVE', 'plain{d}', '99'],
      ['COPY', 'plain{d}', '{d}none', 'DB', 'x'],
      ['SET', 'plain{m}', 'v', 'EX', '604800'],
      ['COPY', 'plain{m}', '{m}copied', 'DB', '3'],
    ]);
    const client = await RawClient.connect(proxy.port);
    await client.command('SELECT', '3');
    for (const key of ['{d}moved', '{d}copied', '{d}queued', '{m}copied']) {
      const left = Number((await client.text('PTTL', key)).slice(1));
      expect(left > DAY - 60_000 && left <= DAY ? 'a day' : `${key}: ${left}`).toBe('a day');
    }
    client.close();
  });

  it('is given to a list that a command has waited to fill, on one node and on two', async () => {
    const owners = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        await proxy.client().set(`d:list:${i}`, 'v');
        const here = await nodes[0]?.client().exists(`d:list:${i}`);
        await proxy.client().del(`d:list:${i}`);
        return here;
      }),
    );
    const [one, other] = [owners.indexOf(0), owners.indexOf(1)];
    for (const [source, target] of [
      ['{d}waits', '{d}filled'],
      [`d:list:${one}`, `d:list:${other}`],
      [`d:list:${other}`, `d:list:${one}`],
    ] as const) {
      const waiting = await RawClient.connect(proxy.port);
      await waiting.command('DEL', source, target);
      const id = (await waiting.text('CLIENT', 'ID')).slice(1).trim();
      const moved = waiting.pipeline([
        ['BLMOVE', source, target, 'LEFT', 'LEFT', '0'],
        ['PTTL', target],
      ]);
      const pusher = await RawClient.connect(proxy.port);
      // The one that waits is there before the element.
      while (!/ cmd=blmove /.test(await pusher.text('CLIENT', 'LIST', 'ID', id)));
      await pusher.command('RPUSH', source, 'element');
      const [element, ttl] = (await moved).map(String);
      expect(element).toBe('$7\r\nelement\r\n');
      expect(Number(ttl?.slice(1))).toBeGreaterThan(DAY - 60_000);
      for (const client of [waiting, pusher]) client.close();
    }
  });

  it('is given to each key of an MSET over several nodes', async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `d:mset:${i}`);
    await alike([['MSET', ...keys.flatMap((key) => [key, 'v'])]]);
    for (const ttl of await ttls(...keys)) expect(ttl).toBeGreaterThan(DAY - 60_000);
  });

  it('leaves alone what a client says, and keys of other groups', async () => {
    await alike([
      ['SET', '{d}said', 'v', 'EX', '100'],
      ['SETEX', '{d}setex', '100', 'v'],
      ['SET', '{d}kept', 'v', 'PX', '100000'],
      ['APPEND', '{d}kept', 'v'],
      ['SET', '{d}persisted', 'v', 'EX', '100'],
      ['PERSIST', '{d}persisted'],
      ['SET', 'plain:a', 'v'],
      ['SET', 'other', 'v'],
      ['SET', '{d}wrong', 'v', 'EX', '0'],
      ['SET', '{d}wrong', 'v', 'EX', '1', 'PX', '1'],
      ['SET', '{d}wrong', 'v', 'NONSENSE'],
      ['SET', '{d}wrong'],
    ]);
    const [said, setex, kept, persisted, ...others] = await ttls(
      ...['{d}said', '{d}setex', '{d}kept', '{d}persisted', 'plain:a', 'other', '{d}wrong'],
    );
    for (const ttl of [said, setex, kept]) expect(ttl).toBeLessThanOrEqual(100_000);
    expect([persisted, ...others]).toEqual([-1, -1, -1, -2]);
  });

  it('is given in the database of the client, and in transactions that are not carried out to nobody', async () => {
    await alike([
      ['SELECT', '3'],
      ['HSET', '{d}three', 'f', 'v'],
      ['PTTL', 'no:such'],
      ['MULTI'],
      ['HSET', '{d}never', 'f', 'v'],
      ['DISCARD'],
      ['WATCH', '{d}three'],
      ['HSET', '{d}three', 'f', 'w'],
      ['MULTI'],
      ['SELECT', '4'],
      ['LPUSH', '{d}four', 'v'],
      ['EXEC'],
      ['MULTI'],
      ['SELECT', '4'],
      ['LPUSH', '{d}four', 'v'],
      ['CLIENT', 'SETNAME', 'x'],
      ['LRANGE', '{d}four', '0', '-1'],
      ['EXEC'],
      ['CLIENT', 'GETNAME'],
      ['EXISTS', '{d}four'],
    ]);
    const client = await RawClient.connect(proxy.port);
    const [, three, , four, , never] = await client.pipeline([
      ...[
        ['SELECT', '3'],
        ['PTTL', '{d}three'],
        ['SELECT', '4'],
        ['PTTL', '{d}four'],
        ['SELECT', '3'],
      ],
      ['EXISTS', '{d}never'],
    ]);
    expect(Number(String(three).slice(1))).toBeGreaterThan(DAY - 60_000);
    expect(Number(String(four).slice(1))).toBeGreaterThan(DAY - 60_000);
    expect(String(never)).toBe(':0\r\n');
  });

  it('is given to a large value that is passed on as it comes', async () => {
    const value = Buffer.alloc(3_000_000, 'x');
    await alike([
      ['SET', 'l:a', value],
      ['SET', 'l:b', value, 'EX', '604800'],
      ['SET', 'l:c', value, 'EX', '60'],
      ['STRLEN', 'l:a'],
    ]);
    const [a, b, c] = await ttls('l:a', 'l:b', 'l:c');
    expect(a).toBeGreaterThan(3_500_000);
    expect(a).toBeLessThanOrEqual(3_600_000);
    expect(b).toBeLessThanOrEqual(DAY);
    expect(c).toBeLessThanOrEqual(60_000);
  });
});

describe('while keys move', () => {
  it('default-ttl is given to each key that is made', async () => {
    const [first, second] = (await startRedises(2)) as [RedisProcess, RedisProcess];
    const moving = await startRingproxy({ nodes: [first], config: CONFIG });
    await fill(moving, 3_000);
    const client = await RawClient.connect(moving.port);
    await post(moving, 'changes', add('node2', second));
    let isMoving = true;
    const done = settled(moving).finally(() => {
      isMoving = false;
    });
    let made = 0;
    while (isMoving) {
      const id = `d:${made++}`;
      await client.pipeline([
        ['INCR', `${id}:n`],
        ['MSET', `${id}:a`, 'v', `${id}:b`, 'v'],
        ['MULTI'],
        ['RPUSH', `${id}:l`, 'v'],
        ['EXEC'],
      ]);
    }
    await done;
    const keys = Array.from({ length: made }, (_, i) => ['n', 'a', 'b', 'l'].map((key) => `d:${i}:${key}`)).flat();
    const left = await Promise.all(keys.map((key) => moving.client().pttl(key)));
    expect(made).toBeGreaterThan(10);
    expect(keys.filter((_, i) => !((left[i] ?? 0) > DAY - 120_000))).toEqual([]);
  });
});

describe('max-ttl', () => {
  it('cuts down what clients say, and what keys bring with them', async () => {
    const later = String(Math.floor(Date.now() / 1000) + 30 * 86_400);
    const sources: Words[] = [
      ['SET', '{m}ex', 'v', 'EX', '6048000'],
      ['SET', '{m}px', 'v', 'nx', 'px', '604800000'],
      ['SET', '{m}exat', 'v', 'EXAT', later],
      ['SET', '{m}pxat', 'v', 'PXAT', `${later}000`],
      ['SETEX', '{m}setex', '6048000', 'v'],
      ['PSETEX', '{m}psetex', '604800000', 'v'],
      ['SET', '{m}none', 'v'],
      ['LPUSH', '{m}list', 'v'],
      ...['expire', 'pexpire', 'expireat', 'pexpireat', 'persist', 'getex', 'getexpersist'].map((key) => [
        ...['SET', `{m}${key}`, 'v', 'EX', '100'],
      ]),
      ['EXPIRE', '{m}expire', '6048000', 'GT'],
      ['PEXPIRE', '{m}pexpire', '604800000'],
      ['EXPIREAT', '{m}expireat', later],
      ['PEXPIREAT', '{m}pexpireat', `${later}000`],
      ['PERSIST', '{m}persist'],
      ['GETEX', '{m}getex', 'EX', '6048000'],
      ['GETEX', '{m}getexpersist', 'PERSIST'],
      ['SET', 'plain{m}long', 'v'],
      ['RENAME', 'plain{m}long', '{m}renamed'],
      ['SET', 'plain{m}week', 'v', 'EX', '604800'],
      ['COPY', 'plain{m}week', '{m}copied'],
      ['EVAL', "return redis.call('SET', KEYS[1], 'v', 'EX', 604800)", '1', '{m}eval'],
      ['SET', '{m}short', 'v', 'EX', '100'],
      ['GET', '{m}short'],
      ['EXPIRE', '{m}short', '-1'],
    ];
    await alike(sources);
    const dump = await single.client().dumpBuffer('plain{m}week');
    await alike([['RESTORE', '{m}restored', '604800000', dump]]);
    const keys = [
      ...['ex', 'px', 'exat', 'pxat', 'setex', 'psetex', 'none', 'list', 'expire', 'pexpire', 'expireat', 'pexpireat'],
      ...['persist', 'getex', 'getexpersist', 'renamed', 'copied', 'eval', 'restored'],
    ];
    const found = await ttls(...keys.map((key) => `{m}${key}`));
    const wrong = keys.filter((_, i) => !((found[i] ?? 0) > DAY - 60_000 && (found[i] ?? 0) <= DAY));
    expect(wrong).toEqual([]);
    expect(await ttls('{m}short')).toEqual([-2]);
  });

  it('and default-ttl hold together', async () => {
    await alike([
      ['SET', '{b}default', 'v'],
      ['HSET', '{b}hash', 'f', 'v'],
      ['SET', '{b}long', 'v', 'EX', '60480000'],
      ['SET', '{b}persisted', 'v', 'EX', '100'],
      ['PERSIST', '{b}persisted'],
      ['RENAME', '{b}long', '{b}renamed'],
    ]);
    const [normal, hash, persisted, renamed] = await ttls('{b}default', '{b}hash', '{b}persisted', '{b}renamed');
    for (const ttl of [normal, hash]) expect(ttl).toBeLessThanOrEqual(DAY);
    for (const ttl of [persisted, renamed]) {
      expect(ttl).toBeGreaterThan(WEEK - 60_000);
      expect(ttl).toBeLessThanOrEqual(WEEK);
    }
  });
});

describe('ttl-jitter', () => {
  it('spreads what the proxy gives and what clients say, and never lengthens it', async () => {
    const keys = Array.from({ length: 60 }, (_, i) => `j:${i}`);
    await alike(
      keys.map((key, i) =>
        i % 3 === 0 ? ['SET', key, 'v'] : i % 3 === 1 ? ['SETEX', key, '86400', 'v'] : ['INCR', key],
      ),
    );
    await alike(['ex', 'px'].map((key) => ['EXPIRE', `j:${key}`, '100']));
    const found = await ttls(...keys);
    expect(Math.max(...found)).toBeLessThanOrEqual(DAY);
    expect(Math.min(...found)).toBeGreaterThan(DAY / 2 - 60_000);
    expect(Math.max(...found) - Math.min(...found)).toBeGreaterThan(DAY / 10);
  });
});

describe('max-value-bytes', () => {
  const long = 'x'.repeat(101);
  const fits = 'x'.repeat(100);
  const refused = /^-ERR a value of \d+ bytes is more than max-value-bytes of the group small \(100\)\r\n$/;

  it('refuses each value that is larger, and goes on', async () => {
    const client = await RawClient.connect(proxy.port);
    const tooLarge: Words[] = [
      ['SET', '{s}a', long],
      ['SETEX', '{s}a', '10', long],
      ['APPEND', '{s}a', long],
      ['SETRANGE', '{s}a', '100', 'x'],
      ['SETBIT', '{s}a', '800', '1'],
      ['HSET', '{s}h', 'f', 'v', 'g', long],
      ['LPUSH', '{s}l', 'v', long],
      ['ZADD', '{s}z', '1', long],
      ['XADD', '{s}x', '*', 'f', long],
      ['MSET', 'plain:m', long, 's:m', long],
      ['MSETNX', '{s}m', fits, '{s}n', long],
    ];
    const answers = await client.pipeline(tooLarge.flatMap((words) => [words, ['PING']]));
    for (const [i, words] of tooLarge.entries()) {
      expect(String(answers[2 * i]), words.join(' ').slice(0, 20)).toMatch(refused);
      expect(String(answers[2 * i + 1])).toBe('+PONG\r\n');
    }
    await alike([
      ['SET', '{s}a', fits],
      ['SETRANGE', '{s}a', '99', 'x'],
      ['SETRANGE', '{s}a', '1000', ''],
      ['SETBIT', '{s}a', '799', '1'],
      ['MSET', 'plain:m', long, 's:m', fits],
      ['GET', '{s}a'],
      ['EXISTS', '{s}h', '{s}l', '{s}z', '{s}x', '{s}m'],
    ]);
  });

  it('makes EXEC abort', async () => {
    const client = await RawClient.connect(proxy.port);
    const answers = await client.pipeline([['MULTI'], ['SET', '{s}t', long], ['SET', '{s}u', fits], ['EXEC']]);
    expect(String(answers[1])).toMatch(refused);
    expect(String(answers[3])).toMatch(/^-EXECABORT/);
    expect(await client.text('EXISTS', '{s}t', '{s}u')).toBe(':0\r\n');
  });

  it('refuses a large value as soon as its length is known, and skips it', async () => {
    const client = await RawClient.connect(proxy.port);
    client.send('*3\r\n$3\r\nSET\r\n$3\r\nl:x\r\n$50000000\r\n');
    const [early] = await client.replies(1);
    expect(String(early)).toMatch(/^-ERR a value of 50000000 bytes .* large \(4194304\)/);
    const piece = Buffer.alloc(1_000_000, 'v');
    for (let i = 0; i < 50; i++) client.send(piece);
    client.send('\r\n*1\r\n$4\r\nPING\r\n');
    expect(String((await client.replies(1))[0])).toBe('+PONG\r\n');
    client.send(`*5\r\n$4\r\nMSET\r\n$3\r\nl:y\r\n$1\r\nv\r\n$3\r\nl:x\r\n$5000000\r\n`);
    expect(String((await client.replies(1))[0])).toMatch(/^-ERR a value of 5000000 bytes/);
    for (let i = 0; i < 5; i++) client.send(piece);
    client.send('\r\n');
    expect(await client.text('EXISTS', 'l:x', 'l:y')).toBe(':0\r\n');
  });
});
