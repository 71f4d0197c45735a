import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AdviceView } from '../../../../src/admin/api.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let nodes: RedisProcess[];
let bare: RedisProcess;
let proxy: RingproxyProcess;
let client: RawClient;
let reference: RawClient;
/** Each of them on another node. */
let a: string;
let b: string;
let c: string;

beforeAll(async () => {
  [nodes, bare] = await Promise.all([startRedises(3), startRedis()]);
  proxy = await startRingproxy({ nodes, config: 'cross-node-max-bytes: 1mb\n' });
  client = await RawClient.connect(proxy.port);
  reference = await RawClient.connect(bare.port);
  const names = Array.from({ length: 60 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, names);
  [a = '', b = '', c = ''] = nodes.map((node) => names[owners.indexOf(node.address)]);
});

beforeEach(async () => {
  await Promise.all([client.text('FLUSHALL'), reference.text('FLUSHALL')]);
});

/** Sends the same to the proxy and to a bare Redis. @returns what both have answered */
async function both(...words: string[]): Promise<string> {
  const [ours, theirs] = await Promise.all([client.text(...words), reference.text(...words)]);
  expect(ours).toBe(theirs);
  return ours;
}

/** What MONITOR shows of clients, without times and addresses, up to the last command. INFO is asked as often as it takes. */
async function shown(monitor: RawClient): Promise<string[]> {
  const lines: string[] = [];
  while (!lines.at(-1)?.includes('the last one')) {
    const [line = ''] = (await monitor.replies(1)).map(String);
    if (!line.includes('"INFO"')) lines.push(line.replace(/^.*?\] /, ''));
  }
  return lines;
}

async function reservedKeys(): Promise<string[]> {
  const found = await Promise.all(nodes.map((node) => node.client().keys('__ringproxy__*')));
  return found.flat();
}

describe('commands whose keys are on several nodes', () => {
  it('read all of them, in either protocol', async () => {
    await both('SADD', a, '1', '2', '3');
    await both('SADD', b, '2', '3', '4');
    await both('SADD', c, '3', '5');
    for (const version of ['2', '3']) {
      await client.command('HELLO', version);
      await reference.command('HELLO', version);
      await both('SINTER', a, b, c);
      await both('SINTERCARD', '3', a, b, c, 'LIMIT', '5');
      await both('SDIFF', b, a, 'missing');
      await both('SINTER', a, 'missing:1', 'missing:2', c);
      await both('ZUNION', '3', a, b, c, 'WEIGHTS', '1', '2', '4', 'WITHSCORES');
      await both('PFCOUNT', a, b);
    }
    expect(await reservedKeys()).toEqual([]);
  });

  it('write the key that they name, with the others as they are', async () => {
    await both('SADD', a, '1', '2');
    await both('SADD', b, '2', '3');
    await both('SUNIONSTORE', c, a, b);
    await both('SCARD', c);
    await both('SINTERSTORE', a, a, b);
    await both('SMEMBERS', a);
    await both('ZUNIONSTORE', b, '2', a, c, 'AGGREGATE', 'MAX');
    await both('ZRANGE', b, '0', '-1', 'WITHSCORES');
    await both('SET', a, 'abc');
    await both('SET', c, 'a1c');
    await both('BITOP', 'XOR', b, a, c);
    await both('GET', b);
    await both('LCS', a, c, 'IDX');
    expect(await reservedKeys()).toEqual([]);
  });

  it('keep times to live where Redis does', async () => {
    await both('SET', a, 'x', 'EX', '1000');
    await both('COPY', a, b);
    expect(Number((await client.text('PTTL', b)).slice(1))).toBeGreaterThan(990_000);
    await both('COPY', a, b);
    await both('COPY', a, b, 'REPLACE');
    await both('COPY', a, c, 'DB', '1');
    await both('GET', c);
  });

  it('say what Redis says where a value is of the wrong type', async () => {
    await both('SET', a, 'x');
    await both('SADD', b, '1');
    expect(await both('SUNION', a, b, c)).toMatch(/^-WRONGTYPE/);
    expect(await both('SUNIONSTORE', c, a, b)).toMatch(/^-WRONGTYPE/);
    expect(await both('EXISTS', c)).toBe(':0\r\n');
    expect(await both('COPY', a, b, 'NONSENSE')).toMatch(/^-ERR syntax/);
    expect(await reservedKeys()).toEqual([]);
  });

  it('take no more than cross-node-max-bytes from node to node, and name the command and the setting', async () => {
    const members = Array.from({ length: 40_000 }, (_, i) => `member:${i}`);
    for (const key of [a, b, c]) await client.command('SADD', key, ...members);
    expect(await client.text('SUNION', a, b, c)).toMatch(
      /^-ERR SUNION would take \d+ bytes from node to node, and cross-node-max-bytes is 1048576: /,
    );
  });

  it('are answered in the order in which they came, among others', async () => {
    await client.command('DEL', a, b, c);
    const replies = await client.pipeline([
      ['SADD', a, '1'],
      ['SADD', b, '2'],
      ['SUNIONSTORE', c, a, b],
      ['SCARD', c],
      ['DEL', a],
      ['SUNIONSTORE', c, a, b],
      ['SCARD', c],
    ]);
    expect(replies.map(String)).toEqual([':1\r\n', ':1\r\n', ':2\r\n', ':2\r\n', ':1\r\n', ':1\r\n', ':1\r\n']);
  });

  it('are told of with the hash tag that would bring them together', async () => {
    for (let i = 0; i < 40; i++) await client.command('SUNION', `user:${i}:likes`, `user:${i}:follows`);
    const { advice } = (await (await fetch(`${proxy.admin}/v1/advice?limit=256`)).json()) as AdviceView;
    const told = advice.find(({ keys }) => keys[0] === 'user:*:likes');
    expect(told).toMatchObject({ command: 'SUNION', tagged: ['user:{*}:likes', 'user:{*}:follows'], scope: 'value' });
    // Some of them are on one node by chance.
    expect(told?.calls).toBeGreaterThan(10);
    expect(told?.calls).toBeLessThan(40);
  });

  it('are shown by MONITOR as their clients send them, once, and nothing of what is done for them', async () => {
    const monitors = await Promise.all([proxy, bare].map(({ port }) => RawClient.connect(port)));
    for (const monitor of monitors) expect(await monitor.text('MONITOR')).toBe('+OK\r\n');
    const waiters = await Promise.all([proxy, bare].map(({ port }) => RawClient.connect(port)));
    const waiting = waiters.map((waiter) => waiter.text('BLPOP', 'none:1', 'none:2', 'none:3', '20'));
    await expect.poll(() => client.text('INFO', 'clients')).toContain('blocked_clients:1\r\n');
    await expect.poll(() => reference.text('INFO', 'clients')).toContain('blocked_clients:1\r\n');
    for (const words of [
      ['MSET', a, '1', b, '2', c, '3'],
      ['MGET', a, b, c],
      ['MSETNX', a, '1', 'nx:1', '2', 'nx:2', '3'],
      ['BITOP', 'OR', c, a, b],
      ['RENAME', a, b],
      ['DEL', a, b, c],
      ['RPUSH', a, '1', '2', '3'],
      ['LMOVE', a, b, 'LEFT', 'RIGHT'],
      ['LMPOP', '2', 'nothing', b, 'LEFT'],
      ['BRPOPLPUSH', a, b, '5'],
      ['SORT', a, 'BY', 'weight_*', 'GET', 'object_*', 'STORE', c],
      ['SUNIONSTORE', 'x', 'y', 'z'],
      ['EVAL', '#!lua flags=no-writes\nreturn 1', '3', a, b, c],
      ['WATCH', a, b, c],
      ['MULTI'],
      ['SADD', 'set:1', '1'],
      ['SADD', 'set:2', '2'],
      ['MGET', 'set:1', 'set:2'],
      ['EXEC'],
      ['RPUSH', 'none:3', 'e'],
      ['PING', 'the last one'],
    ]) {
      await both(...words);
    }
    expect(await waiting[0]).toBe(await waiting[1]);
    const [ours, theirs] = await Promise.all(monitors.map(shown));
    expect(ours).toEqual(theirs);
    expect(ours).toHaveLength(22);
  });

  it('are counted by what was done', async () => {
    await client.command('SUNION', a, b);
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    expect(metrics).toMatch(/ringproxy_cross_node_commands_total\{command="sunion",way="lend"\} \d/);
  });
});

describe('scripts and functions whose keys are on several nodes', () => {
  const DECLARED = '#!lua flags=no-writes\n';

  it('run when they declare that they do not write, by their digest as well, with the names of the client', async () => {
    await both('SADD', a, '1', '2');
    await both('SADD', b, '2', '3');
    const body = `${DECLARED}return {KEYS, redis.call('SINTER', unpack(KEYS)), {KEYS[1], 'x'}, 7}`;
    expect(await both('EVAL', body, '3', a, b, 'missing')).toContain(a);
    await both('EVAL_RO', "return {redis.call('SCARD', KEYS[1]), KEYS[2], ARGV[1]}", '2', b, a, 'arg');
    const loaded = await both('SCRIPT', 'LOAD', body);
    await both('EVALSHA', loaded.slice(5, 45), '2', b, a);
    await both('EVALSHA_RO', loaded.slice(5, 45), '2', a, b);
    await both('EVALSHA', '0'.repeat(40), '2', a, b);
    const library = `#!lua name=reading
      redis.register_function{function_name='common', callback=function(keys) return redis.call('SINTER', unpack(keys)) end, flags={'no-writes'}}
      redis.register_function('perhaps', function(keys) return keys end)`;
    await both('FUNCTION', 'LOAD', library);
    await both('FCALL', 'common', '2', a, b);
    await both('FCALL_RO', 'common', '2', b, a);
    expect(await client.text('FCALL', 'perhaps', '2', a, b)).toMatch(/^-CROSSSLOT .*no-writes/);
    expect(await reservedKeys()).toEqual([]);
  });

  it('are refused when they may write, with what to do', async () => {
    expect(await client.text('EVAL', 'return 1', '2', a, b)).toMatch(/^-CROSSSLOT .*hash tag.*no-writes/);
    expect(await client.text('EVAL_RO', "return redis.call('SET', KEYS[1], 'x')", '2', a, b)).toMatch(
      /^-ERR .*[wW]rite/,
    );
    expect(await client.text('EXISTS', a, b)).toBe(':0\r\n');
  });
});

it('SORT finds what its patterns name, wherever that is', async () => {
  await both('RPUSH', a, '1', '2', '3', '4');
  for (const [i, weight] of ['9', '7', '8', '1'].entries()) {
    await both('SET', `weight_${i + 1}`, weight);
    if (i < 3) await both('HSET', `object_${i + 1}`, 'name', `name ${i}`);
  }
  await both('SORT', a, 'BY', 'weight_*', 'GET', '#', 'GET', 'object_*->name');
  await both('SORT_RO', a, 'BY', 'weight_*', 'DESC', 'LIMIT', '1', '2');
  await both('SORT', a, 'BY', 'object_*->name', 'ALPHA', 'GET', 'weight_*', 'GET', 'nothing');
  await both('SORT', a, 'BY', 'weight_*', 'GET', 'object_*->name', 'STORE', c);
  await both('LRANGE', c, '0', '-1');
  await both('SORT', 'missing', 'BY', 'weight_*', 'STORE', c);
  await both('EXISTS', c);
  await both('SET', b, 'text');
  await both('SORT', b, 'BY', 'weight_*');
  await both('SORT', a, 'BY', 'object_*->name');
  expect(await reservedKeys()).toEqual([]);
});

it('names by which keys are lent are told to nobody who tracks all keys', async () => {
  const tracker = await RawClient.connect(proxy.port);
  await tracker.pipeline([
    ['HELLO', '3'],
    ['CLIENT', 'TRACKING', 'ON', 'BCAST'],
  ]);
  const told: Buffer[] = [];
  tracker.socket.on('data', (chunk: Buffer) => told.push(chunk));
  await client.pipeline([
    ['SADD', a, '1'],
    ['SADD', b, '2'],
    ['SUNIONSTORE', c, a, b],
  ]);
  await expect.poll(() => Buffer.concat(told).toString('latin1')).toContain(`${c}\r\n`);
  expect(Buffer.concat(told).toString('latin1')).not.toContain('__ringproxy__');
});

it('cross-node: refuse answers them with CROSSSLOT, which names the setting, but for users of whom it is said', async () => {
  const config = `cross-node: refuse
cross-node-users: { batch: allow }
users: { default: "on nopass ~* &* +@all", batch: "on >b ~* &* +@all" }
`;
  const strict = await startRingproxy({ nodes, config });
  const one = await RawClient.connect(strict.port);
  const all = [
    ['SUNION', a, b],
    ['BLPOP', `${a}:list`, `${b}:list`, '0.01'],
    ['SORT', a, 'BY', 'nosort', 'GET', 'weight:*'],
    ['MULTI'],
    ['SUNION', a, b],
    ['SCAN', '0'],
    ['DBSIZE'],
    ['EXEC'],
  ];
  const other = await RawClient.connect(strict.port);
  expect(await other.text('AUTH', 'batch', 'b')).toBe('+OK\r\n');
  const allowed = (await other.pipeline(all)).map(String);
  expect(allowed.filter((reply) => reply.startsWith('-'))).toEqual([]);
  // Whoever is somebody else meanwhile does what that one may.
  expect(await other.text('RESET')).toBe('+RESET\r\n');
  for (const client of [one, other]) {
    const refused = (await client.pipeline(all)).map(String);
    expect(refused.filter((reply) => /^-CROSSSLOT .*cross-node: allow/.test(reply)).length).toBeGreaterThanOrEqual(3);
    expect(refused.at(-1)).toMatch(/^-EXECABORT/);
  }
  expect(await one.text('SUNION', a, b)).toBe(
    "-CROSSSLOT Keys in request don't hash to the same node (cross-node: allow lets most commands run so)\r\n",
  );
  const inside = await one.pipeline([['MULTI'], ['SUNION', a, b], ['SCAN', '0'], ['DISCARD']]);
  expect(inside.slice(1, 3).map(String)).toEqual([
    expect.stringMatching(/^-CROSSSLOT .*cross-node: allow/),
    expect.stringMatching(/^-ERR SCAN is not allowed in a transaction/),
  ]);
  one.close();
});
