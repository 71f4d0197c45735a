/**
 * Every kind of command on keys of several nodes while a node joins, and leaves again: keys change hands between such commands,
 * and not within. Nothing is lost, nothing is doubled, nothing is answered with an error, and nothing lent is left.
 */
import { expect, it } from 'vitest';
import { decodeReply, type ReplyValue } from '../../../../src/resp/decode.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { add, fill, ownersOf, post, settled } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { tempFolder } from '../../../support/temp-folder.js';

const FILLERS = 4000;
/** Of each kind, with other keys each. */
const COPIES = 4;

/** Commands that are answered the same whenever they come; `@a` is a key. */
interface Steady {
  readonly kind: string;
  readonly before: readonly string[];
  readonly commands: readonly (readonly [command: string, reply: string])[];
}

const STEADY: readonly Steady[] = [
  {
    kind: 'sets',
    before: ['SADD @a 1 2', 'SADD @b 2 3'],
    commands: [
      ['SUNION @a @b', '1 2 3'],
      ['SINTERCARD 2 @a @b', '1'],
      ['SUNIONSTORE @t @a @b', '3'],
      ['SMEMBERS @t', '1 2 3'],
      ['SDIFFSTORE @t @a @b', '1'],
      ['SMEMBERS @t', '1'],
    ],
  },
  {
    kind: 'sorted sets',
    before: ['ZADD @a 1 x', 'ZADD @b 2 y', 'GEOADD @g 13 38 p'],
    commands: [
      ['ZUNION 2 @a @b', 'x y'],
      ['ZUNIONSTORE @t 2 @a @b', '2'],
      ['ZRANGE @t 0 -1', 'x y'],
      ['ZRANGESTORE @t @b 0 -1', '1'],
      ['ZRANGE @t 0 -1', 'y'],
      ['GEOSEARCHSTORE @t @g FROMLONLAT 13 38 BYRADIUS 1 km', '1'],
      ['ZRANGE @t 0 -1', 'p'],
    ],
  },
  {
    kind: 'strings',
    before: ['SET @a ab', 'SET @b ac'],
    commands: [
      ['BITOP OR @t @a @b', '2'],
      ['GET @t', 'ac'],
      ['COPY @a @t REPLACE', '1'],
      ['GET @t', 'ab'],
      ['COPY @b @t', '0'],
      ['LCS @a @b', 'a'],
      ['MSETNX @a 1 @n 2', '0'],
      ['EXISTS @n', '0'],
    ],
  },
  {
    kind: 'HyperLogLogs',
    before: ['PFADD @a 1', 'PFADD @b 2'],
    commands: [
      ['PFCOUNT @a @b', '2'],
      ['PFMERGE @t @a @b', 'OK'],
      ['PFCOUNT @t', '2'],
    ],
  },
  {
    kind: 'code',
    before: ['SET @a 1', 'SET @b 2'],
    commands: [
      ["EVAL_RO return{redis.call('GET',KEYS[1]),redis.call('GET',KEYS[2])} 2 @a @b", '1 2'],
      ['FCALL_RO both 2 @a @b', '1 2'],
    ],
  },
  {
    kind: 'SORT',
    before: ['RPUSH @a 1 2', 'SET @weight:1 9', 'SET @weight:2 3', 'SET @name:1 one', 'SET @name:2 two'],
    commands: [
      ['SORT_RO @a BY @weight:* GET @name:*', 'two one'],
      ['SORT @a BY @weight:* STORE @t', '2'],
      ['LRANGE @t 0 -1', '2 1'],
    ],
  },
];

const FUNCTION =
  "#!lua name=lib\nredis.register_function{function_name='both',callback=function(keys) return {redis.call('GET',keys[1]),redis.call('GET',keys[2])} end,flags={'no-writes'}}";

/** Commands that take what others have put; `@a`, `@b` and `@c` are where that may be. */
interface Taking {
  readonly command: string;
  readonly push: string;
  /** Which of the reply's texts is the element. */
  readonly at: number;
}

const TAKING: readonly Taking[] = [
  { command: 'LMPOP 3 @a @b @c LEFT', push: 'RPUSH', at: 1 },
  { command: 'ZMPOP 3 @a @b @c MIN', push: 'ZADD', at: 1 },
  { command: 'BLPOP @a @b @c 0.1', push: 'RPUSH', at: 1 },
  { command: 'BRPOP @a @b @c 0.1', push: 'RPUSH', at: 1 },
  { command: 'BLMPOP 0.1 3 @a @b @c RIGHT', push: 'LPUSH', at: 1 },
  { command: 'BZPOPMIN @a @b @c 0.1', push: 'ZADD', at: 1 },
  { command: 'BZMPOP 0.1 3 @a @b @c MAX', push: 'ZADD', at: 1 },
];

/** Commands that move things between `@0` and `@7`, each of which is in one of them before and after. */
interface Moving {
  readonly kind: string;
  readonly put: (thing: string) => string;
  readonly move: (from: number, to: number, thing: string) => string;
  readonly read: string;
  /** Clients that do so. Of a list's elements one that two take within a moment, one at each list, is there twice. */
  readonly movers: number;
}

const MOVING: readonly Moving[] = [
  {
    kind: 'LMOVE',
    put: (thing) => `RPUSH @0 ${thing}`,
    move: (from, to) => `LMOVE @${from} @${to} LEFT RIGHT`,
    read: 'LRANGE @ 0 -1',
    movers: 1,
  },
  {
    kind: 'RPOPLPUSH',
    put: (thing) => `RPUSH @0 ${thing}`,
    move: (from, to) => `RPOPLPUSH @${from} @${to}`,
    read: 'LRANGE @ 0 -1',
    movers: 1,
  },
  {
    kind: 'BLMOVE',
    put: (thing) => `RPUSH @0 ${thing}`,
    move: (from, to) => `BLMOVE @${from} @${to} RIGHT LEFT 0.01`,
    read: 'LRANGE @ 0 -1',
    movers: 1,
  },
  {
    kind: 'SMOVE',
    put: (thing) => `SADD @0 ${thing}`,
    move: (from, to, thing) => `SMOVE @${from} @${to} ${thing}`,
    read: 'SMEMBERS @',
    movers: 3,
  },
];
const PLACES = 8;
const THINGS = ['t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7', 't8', 't9'];

it('nothing is lost, and nothing is answered with an error', { timeout: 60_000 }, async () => {
  const nodes = await startRedises(3);
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 2), args: ['--state-dir', tempFolder('state')] });
  await fill(proxy, FILLERS);
  const first = await RawClient.connect(proxy.port);
  expect(await first.text('FUNCTION', 'LOAD', FUNCTION)).toMatch(/^\$/);
  const change = { isOver: false };

  /** A client whose keys have this prefix. */
  const speaker = async (prefix: string): Promise<(line: string) => Promise<string[]>> => {
    const client = await RawClient.connect(proxy.port);
    return async (line) => {
      const words = line.split(' ').map((word) => word.replace(/^@/, `${prefix}:`));
      const reply = await client.command(...words);
      expect(reply.toString(), line).not.toMatch(/^-/);
      return textsIn(reply);
    };
  };

  const steady = async ({ kind, before, commands }: Steady, copy: number): Promise<void> => {
    const say = await speaker(`${kind.replace(' ', '-')}:${copy}`);
    for (const line of before) await say(line);
    while (!change.isOver) {
      for (const [command, reply] of commands) {
        const texts = await say(command);
        expect((/^(SUNION|SMEMBERS)/.test(command) ? texts.sort() : texts).join(' '), command).toBe(reply);
      }
    }
  };

  const taking = async ({ command, push, at }: Taking, copy: number): Promise<void> => {
    const prefix = `${command.split(' ')[0]}:${copy}`;
    const put = await speaker(prefix);
    let made = 0;
    let isAllMade = false;
    const produce = async (): Promise<void> => {
      for (; !change.isOver; made++) {
        const key = `@${'abc'[made % 3]}`;
        await put(push === 'ZADD' ? `ZADD ${key} ${made} e${made}` : `${push} ${key} e${made}`);
      }
      isAllMade = true;
    };
    const taken: string[] = [];
    const consume = async (): Promise<void> => {
      const take = await speaker(prefix);
      while (!isAllMade || taken.length < made) {
        const element = (await take(command))[at];
        if (element !== undefined) taken.push(element);
      }
    };
    await Promise.all([produce(), consume(), consume()]);
    expect(taken.length, command).toBe(made);
    expect(new Set(taken).size, command).toBe(made);
  };

  const moving = async ({ kind, put, move, read, movers }: Moving): Promise<void> => {
    const say = await speaker(kind);
    for (const thing of THINGS) await say(put(thing));
    const shift = async (offset: number): Promise<void> => {
      const own = await speaker(kind);
      for (let i = offset; !change.isOver; i++) {
        await own(move(i % PLACES, (i * 3 + 1 + offset) % PLACES, THINGS[i % THINGS.length] as string));
      }
    };
    await Promise.all(Array.from({ length: movers }, (_, i) => shift(i)));
    const found: string[] = [];
    for (let place = 0; place < PLACES; place++) found.push(...(await say(read.replace('@', `@${place}`))));
    expect(found.sort(), kind).toEqual(THINGS);
  };

  const renaming = async (command: string, copy: number): Promise<void> => {
    const say = await speaker(`${command}:${copy}`);
    await say('SET @0 value EX 5000');
    let last = 0;
    for (; !change.isOver; last++) expect(await say(`${command} @${last} @${last + 1}`)).not.toEqual(['0']);
    expect(last).toBeGreaterThan(0);
    expect(await say(`GET @${last}`)).toEqual(['value']);
    expect(Number(await say(`TTL @${last}`))).toBeGreaterThan(4000);
    expect(await say(`EXISTS @${last - 1}`)).toEqual(['0']);
  };

  const settingNew = async (): Promise<void> => {
    const say = await speaker('MSETNX');
    let made = 0;
    for (; !change.isOver; made++) {
      expect(await say(`MSETNX @${made}:a ${made} @${made}:b ${made} @${made}:c ${made}`)).toEqual(['1']);
      expect(await say(`MSETNX @${made}:d x @${made}:a x`)).toEqual(['0']);
    }
    for (let i = 0; i < made; i++) {
      expect(await say(`MGET @${i}:a @${i}:b @${i}:c`)).toEqual([`${i}`, `${i}`, `${i}`]);
      expect(await say(`EXISTS @${i}:d`)).toEqual(['0']);
    }
  };

  const copies = Array.from({ length: COPIES }, (_, copy) => copy);
  const all = copies.flatMap((copy) => [
    ...STEADY.map((one) => steady(one, copy)),
    renaming('RENAME', copy),
    renaming('RENAMENX', copy),
  ]);
  all.push(...TAKING.map((one) => taking(one, 0)), ...MOVING.map(moving), settingNew());
  const whole = Promise.all(all);
  // The first one that fails ends it.
  await Promise.race([changing(), whole]);
  change.isOver = true;
  await whole;
  expect(await proxy.client().dbsize()).toBeGreaterThan(FILLERS);
  for (const node of nodes) expect(await node.client().keys('__ringproxy__*')).toEqual([]);

  async function changing(): Promise<void> {
    await post(proxy, 'changes', add('node3', nodes[2]));
    await settled(proxy);
    expect(
      new Set(await ownersOf(proxy, ['RENAME:0:1', ...copies.map((copy) => `sets:${copy}:a`)])).size,
    ).toBeGreaterThan(1);
    await post(proxy, 'changes', { kind: 'remove', remove: ['node3'] });
    await settled(proxy);
  }
});

/** What a reply consists of, nil left out. */
function textsIn(reply: Buffer): string[] {
  return flat(decodeReply(reply)?.value ?? null);
}

function flat(value: ReplyValue): string[] {
  if (Array.isArray(value)) return value.flatMap(flat);
  if (value === null) return [];
  return [Buffer.isBuffer(value) ? value.toString() : String(value)];
}
