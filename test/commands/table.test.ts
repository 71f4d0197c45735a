/** The command table against a real Redis: every command has a row, with its arity and its keys. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  buildCommandTable,
  type CommandInfo,
  parseCommandReply,
  UNKNOWN_COMMAND_ID,
} from '../../src/commands/build.js';
import { findKeys, keyPositions } from '../../src/commands/keys.js';
import { AREAS, POLICY } from '../../src/commands/policy.js';
import { MODULES } from '../../src/commands/rows/modules.js';
import { request } from '../../src/resp/encode.js';
import { args, COMPLETE, RequestFramer } from '../../src/resp/request-framer.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

const table = buildCommandTable();
let redis: RedisProcess;
let known: CommandInfo[];

beforeAll(async () => {
  redis = await startRedis();
  known = parseCommandReply(await redis.client().call('COMMAND'));
});

const lookup = (name: string) => {
  const bytes = Buffer.from(name);
  return table.lookup(bytes, 0, bytes.length);
};

/** The library describes a newer Redis, which allows more: a node then answers what it does not know yet. */
const allows = (row: number, redis: number): boolean => row === redis || (row < 0 && -row <= Math.abs(redis));

describe('rows', () => {
  it('there is one for every command and subcommand of Redis, with an arity that allows what Redis allows', () => {
    expect(known.length).toBeGreaterThan(230);
    const wrong: string[] = [];
    for (const info of known) {
      const row = table.get(info.name);
      if (row === undefined) wrong.push(`${info.name} is missing`);
      else if (!allows(row.arity, info.arity)) wrong.push(`${info.name}: arity ${row.arity}, not ${info.arity}`);
      for (const sub of info.subcommands) {
        const subRow = row?.subcommands?.get(`${info.name}|${sub.name}`);
        if (subRow === undefined) wrong.push(`${info.name} ${sub.name} is missing`);
        else if (!allows(subRow.arity, sub.arity))
          wrong.push(`${info.name} ${sub.name}: arity ${subRow.arity}, not ${sub.arity}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('are found by their names in any case, and nothing else is', () => {
    expect(lookup('get')?.name).toBe('get');
    expect(lookup('GeT')?.name).toBe('get');
    expect(lookup('ZRANGEBYSCORE')?.name).toBe('zrangebyscore');
    for (const name of ['', 'ge', 'gett', 'g\x45\x14', 'GE\x74\x00', '@et', 'x'.repeat(100)])
      expect(lookup(name)).toBeUndefined();
    for (const row of table.rows()) expect(lookup(row.name.toUpperCase())).toBe(row);
  });

  it('have ids of their own, none of them that of unknown commands', () => {
    const ids = [...table.rows()].map((row) => row.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(UNKNOWN_COMMAND_ID);
    expect(Math.max(...ids)).toBeLessThan(table.size + 2);
  });

  it('every row of the policy is that of a command', () => {
    const ofModules = new Set(Object.keys(MODULES));
    const strange = Object.keys(POLICY).filter((name) => {
      if (ofModules.has(name)) return false;
      const [container = '', sub] = name.split('|');
      const row = table.get(container);
      return sub === undefined ? row === undefined : row?.subcommands?.get(name) === undefined;
    });
    expect(strange).toEqual([]);
  });

  it('no two areas have a row of the same command', () => {
    expect(AREAS.flatMap((area) => Object.keys(area)).sort()).toEqual(Object.keys(POLICY).sort());
  });

  it('what is refused has a reason', () => {
    for (const row of table.rows()) {
      for (const each of [row, ...(row.subcommands?.rows() ?? [])]) {
        if (each.route === 'refused') expect([each.name, each.reason]).toEqual([each.name, expect.stringMatching(/./)]);
      }
    }
  });

  it('what could harm a node does not go there by mistake', () => {
    const harmful = known.flatMap((info) => [
      info,
      ...info.subcommands.map((sub) => ({ ...sub, name: `${info.name}|${sub.name}` })),
    ]);
    const open = harmful.filter((info) => {
      const [container = ''] = info.name.split('|');
      const row = info.name.includes('|') ? table.get(container)?.subcommands?.get(info.name) : table.get(info.name);
      return info.flags.includes('admin') && row !== undefined && ['owner', 'any', 'all'].includes(row.route);
    });
    expect(open.map((info) => info.name).sort()).toEqual([
      ...['latency|doctor', 'latency|graph', 'latency|histogram', 'latency|history', 'latency|latest', 'module|list'],
      ...['pfdebug', 'slowlog|get', 'slowlog|len'],
    ]);
  });
});

describe('a command that only the nodes know', () => {
  it('gets a row from what they say of it', () => {
    const learned = buildCommandTable(
      parseCommandReply([
        ['json.get', -2, ['readonly'], 1, 1, 1, [], [], [], []],
        ['mod.stats', 1, ['admin'], 0, 0, 0],
        'junk',
        [1, 2],
      ]),
    );
    expect(learned.get('json.get')).toMatchObject({ route: 'owner', singleKeyAt: 1, readOnly: true });
    expect(learned.get('mod.stats')).toMatchObject({ route: 'admin' });
  });
});

describe('keys', () => {
  const examples: string[][] = [
    ['GET', 'k'],
    ['SET', 'k', 'v', 'EX', '10'],
    ['MGET', 'a', 'b', 'c'],
    ['MSET', 'a', '1', 'b', '2'],
    ['MSETNX', 'a', '1', 'b', '2'],
    ['DEL', 'a', 'b'],
    ['RENAME', 'a', 'b'],
    ['COPY', 'a', 'b', 'DB', '1'],
    ['SMOVE', 'a', 'b', 'm'],
    ['LMOVE', 'a', 'b', 'LEFT', 'RIGHT'],
    ['BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', '0'],
    ['BLPOP', 'a', 'b', '0'],
    ['BZMPOP', '0', '2', 'a', 'b', 'MIN'],
    ['LMPOP', '2', 'a', 'b', 'LEFT'],
    ['SINTERSTORE', 'd', 'a', 'b'],
    ['SINTERCARD', '2', 'a', 'b', 'LIMIT', '1'],
    ['ZUNIONSTORE', 'd', '2', 'a', 'b', 'WEIGHTS', '1', '2'],
    ['ZINTER', '2', 'a', 'b', 'WITHSCORES'],
    ['ZDIFFSTORE', 'd', '1', 'a'],
    ['ZRANGESTORE', 'd', 'a', '0', '-1'],
    ['BITOP', 'AND', 'd', 'a', 'b'],
    ['PFMERGE', 'd', 'a', 'b'],
    ['PFCOUNT', 'a', 'b'],
    ['SORT', 'a', 'LIMIT', '0', '1', 'STORE', 'd'],
    ['SORT', 'a'],
    ['GEORADIUS', 'a', '1', '2', '3', 'km', 'STORE', 'd'],
    ['GEORADIUSBYMEMBER', 'a', 'm', '3', 'km', 'STOREDIST', 'd'],
    ['GEOSEARCHSTORE', 'd', 'a', 'FROMMEMBER', 'm', 'BYRADIUS', '1', 'km'],
    ['EVAL', 'return 1', '2', 'a', 'b', 'arg'],
    ['FCALL', 'f', '1', 'a', 'arg'],
    ['XREAD', 'COUNT', '2', 'STREAMS', 'a', 'b', '0', '0'],
    ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'a', '>'],
    ['XADD', 'a', '*', 'f', 'v'],
    ['XGROUP', 'CREATE', 'a', 'g', '$'],
    ['XINFO', 'STREAM', 'a'],
    ['OBJECT', 'ENCODING', 'a'],
    ['MEMORY', 'USAGE', 'a'],
    ['LCS', 'a', 'b'],
    ['RESTORE', 'a', '0', 'x'],
    ['DUMP', 'a'],
    ['WATCH', 'a', 'b'],
    ['BITFIELD', 'a', 'GET', 'u8', '0'],
    ['PFDEBUG', 'ENCODING', 'a'],
  ];

  it.each(examples.map((words) => [words.join(' '), words] as const))(
    'of %s are where Redis says',
    async (_text, words) => {
      const framer = new RequestFramer({
        maxArgs: 1000,
        maxBulkLength: 1000,
        maxInlineLength: 1000,
        authenticated: true,
      });
      const frame = request(words);
      expect(framer.next(frame, 0, frame.length)).toBe(COMPLETE);
      let row = lookup(words[0] ?? '');
      if (row?.subcommands) row = row.subcommands.get(`${row.name}|${words[1]?.toLowerCase()}`);
      if (row === undefined) throw new Error('no such command');
      const count = findKeys(row, args, framer.argc, framer.source);
      const found = Array.from(keyPositions.at.subarray(0, count)).map((at) => words[at]);
      const expected = await redis.client().call('COMMAND', 'GETKEYS', ...words);
      expect([...found].sort()).toEqual([...(Array.isArray(expected) ? expected : [])].map(String).sort());
      if (row.singleKeyAt > 0) expect(found).toEqual([words[row.singleKeyAt]]);
    },
  );

  it.each([
    ['MSETEX', ['2', 'a', '1', 'b', '2', 'EX', '10'], ['a', 'b']],
    ['SUNIONCARD', ['2', 'a', 'b', 'LIMIT', '1'], ['a', 'b']],
    ['SDIFFCARD', ['2', 'a', 'b', 'LIMIT', '1'], ['a', 'b']],
  ])('of %s, which this Redis does not know, stand behind their count', (name, rest, keys) => {
    const limits = { maxArgs: 1000, maxBulkLength: 1000, maxInlineLength: 1000, authenticated: true };
    const framer = new RequestFramer(limits);
    const words = [name, ...rest];
    const frame = request(words);
    framer.next(frame, 0, frame.length);
    const row = lookup(name);
    expect(row).toMatchObject({ route: 'owner' });
    if (row === undefined) return;
    expect(findKeys(row, args, framer.argc, framer.source)).toBe(keys.length);
    expect(Array.from(keyPositions.at.subarray(0, keys.length)).map((at) => words[at])).toEqual(keys);
  });

  it.each([
    ['EVAL', 'x', 'two', 'a'],
    ['EVAL', 'x', '3', 'a'],
    ['ZUNION', '-1', 'a'],
    ['XREAD', 'COUNT', '1'],
    ['XREAD', 'STREAMS', 'a', 'b', '0'],
  ])('of a command that is wrong cannot be told: %s %s %s', (...words) => {
    const framer = new RequestFramer({
      maxArgs: 1000,
      maxBulkLength: 1000,
      maxInlineLength: 1000,
      authenticated: true,
    });
    const frame = request(words);
    framer.next(frame, 0, frame.length);
    const row = lookup(words[0] ?? '');
    if (row === undefined) throw new Error('no such command');
    expect(findKeys(row, args, framer.argc, framer.source)).toBe(-1);
  });
});
