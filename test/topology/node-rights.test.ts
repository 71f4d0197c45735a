/** Nodes whose user may do just what the documentation says: everything works, and what is not allowed is said. */
import { describe, expect, it } from 'vitest';
import { aclRules, NODE_RIGHTS } from '../../src/node-rights.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const CONFIG = 'node-username: ringproxy\nnode-password: secret\n';
/** What the clients of these tests send that nodes get to see, beside what the proxy sends itself. */
const OF_CLIENTS = [
  ...[
    'set',
    'get',
    'mset',
    'mget',
    'del',
    'exists',
    'incr',
    'expire',
    'ttl',
    'rpush',
    'lrange',
    'hset',
    'hget',
    'sadd',
  ],
  ...['zadd', 'xadd', 'xread', 'xlen', 'blpop', 'publish', 'spublish', 'evalsha', 'fcall', 'function|load', 'watch'],
  ...['discard', 'dbsize', 'wait', 'setrange'],
];
const EXACT = `~* &* -@all ${[...NODE_RIGHTS.map((row) => row.command), ...OF_CLIENTS].map((name) => `+${name}`).join(' ')}`;

async function withRules(count: number, rules: string): Promise<RedisProcess[]> {
  const nodes = await startRedises(count);
  for (const node of nodes)
    await node.client().call('ACL', 'SETUSER', 'ringproxy', 'on', '>secret', ...rules.split(' '));
  return nodes;
}

/** What the nodes have refused. */
async function refusals(nodes: readonly RedisProcess[]): Promise<string[]> {
  const logs = await Promise.all(nodes.map((node) => node.client().call('ACL', 'LOG')));
  return logs.flatMap((log) => (Array.isArray(log) ? log.map(String) : []));
}

async function blockedClients(client: RawClient): Promise<number> {
  return Number(/^blocked_clients:(\d+)/m.exec(await client.text('INFO', 'clients'))?.[1]);
}

/** One of each type, and of each feature that needs rights of its own. */
async function useEverything(proxy: RingproxyProcess, round: string, waitingAlready: number): Promise<void> {
  const [client, other] = (await Promise.all([1, 2].map(() => RawClient.connect(proxy.port)))) as [
    RawClient,
    RawClient,
  ];
  const sent = await client.pipeline([
    ['SET', `string:${round}`, 'v'],
    ['RPUSH', `list:${round}`, 'v'],
    ['HSET', `hash:${round}`, 'f', 'v'],
    ['SADD', `set:${round}`, 'v'],
    ['ZADD', `sorted:${round}`, '1', 'v'],
    ['XADD', `stream:${round}`, '*', 'f', 'v'],
    ['SET', `volatile:${round}`, 'v', 'EX', '1000'],
    ['SETRANGE', `large:${round}`, '2000000', 'v'],
    ['MSET', 'm1', 'v', 'm2', 'v', 'm3', 'v'],
    ['DBSIZE'],
    ['MULTI'],
    ['INCR', '{t}a'],
    ['EXEC'],
    ['WATCH', 'w'],
    ['UNWATCH'],
    ['EVAL', 'return redis.call("get", KEYS[1])', '1', `string:${round}`],
    ['SCRIPT', 'LOAD', 'return 1'],
    ['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '1', 'k'],
    ['FCALL', 'one', '1', 'k'],
    ['WAIT', '0', '1'],
    ['SELECT', '3'],
    ['SET', `elsewhere:${round}`, 'v'],
    ['SELECT', '0'],
  ]);
  expect(sent.map(String).filter((reply) => reply.startsWith('-'))).toEqual([]);
  await other.command('SUBSCRIBE', 'channel');
  const message = other.replies(1);
  expect(await client.text('PUBLISH', 'channel', 'heard')).toBe(':1\r\n');
  await message;
  const tracking = await RawClient.connect(proxy.port);
  await tracking.command('HELLO', '3');
  expect(await tracking.text('CLIENT', 'TRACKING', 'ON')).toBe('+OK\r\n');
  await tracking.command('GET', `string:${round}`);
  const waiting = await RawClient.connect(proxy.port);
  const popped = waiting.text('BLPOP', `queue:${round}`, '0');
  await expect.poll(() => blockedClients(client)).toBe(waitingAlready + 1);
  const told = tracking.replies(1);
  await client.command('SET', `string:${round}`, 'new');
  expect(String(await told)).toContain(`string:${round}`);
  await client.command('RPUSH', `queue:${round}`, 'v');
  expect(await popped).toContain(`queue:${round}`);
  for (const one of [client, other, tracking, waiting]) one.close();
}

it.each([
  ['the documented one', aclRules('change')],
  ['one with exactly what the table names', EXACT],
])(
  'a user that may do everything (%s) is refused nothing, in whatever the ring does',
  {
    timeout: 180_000,
  },
  async (_title, rules) => {
    const nodes = await withRules(4, rules);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 3), config: CONFIG });
    await fill(proxy, 30_000);
    const client = await RawClient.connect(proxy.port);
    const library = "#!lua name=lib\nredis.register_function('one', function() return 1 end)";
    expect(await client.text('FUNCTION', 'LOAD', library)).toBe('$3\r\nlib\r\n');
    await useEverything(proxy, 'before', 0);
    // These wait at a node while the ring changes.
    const waiting = await Promise.all(Array.from({ length: 30 }, () => RawClient.connect(proxy.port)));
    const popped = waiting.map((one, i) => one.text('BLPOP', `waiting:${i}`, '0'));
    const streams = await RawClient.connect(proxy.port);
    const read = streams.text('XREAD', 'BLOCK', '0', 'STREAMS', 'awaited', '$');
    await expect.poll(() => blockedClients(client)).toBe(31);
    await post(proxy, 'changes', add('node4', nodes[3]));
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 500 });
    await until(proxy, ({ change }) => change !== null && change.keysMoved > 0);
    await useEverything(proxy, 'while keys move', 31);
    await post(proxy, 'changes/current/cancel');
    await settled(proxy);
    await post(proxy, 'changes', add('node4', nodes[3]));
    await settled(proxy);
    await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
    await settled(proxy);
    await post(proxy, 'changes', { ...add('node1', nodes[0]), flush: true });
    await settled(proxy);
    await useEverything(proxy, 'afterwards', 31);
    for (let i = 0; i < waiting.length; i++) await client.command('RPUSH', `waiting:${i}`, 'v');
    for (const reply of await Promise.all(popped)) expect(reply).toMatch(/^\*2/);
    await client.command('XADD', 'awaited', '*', 'f', 'v');
    expect(await read).toContain('awaited');
    expect(await client.text('GET', 'filler:1')).toBe('$10\r\nvalue of 1\r\n');
    expect(await refusals(nodes)).toEqual([]);
  },
);

it('a user with the least rights serves clients', async () => {
  const nodes = await withRules(2, aclRules('serve'));
  const proxy = await startRingproxy({ nodes, config: CONFIG, allowLog: [/upstream:impaired/] });
  await fill(proxy, 1000);
  const client = await RawClient.connect(proxy.port);
  expect(await client.text('MGET', 'filler:1', 'filler:2')).toBe('*2\r\n$10\r\nvalue of 1\r\n$10\r\nvalue of 2\r\n');
  expect(await client.text('DEL', ...Array.from({ length: 1000 }, (_, i) => `filler:${i}`))).toBe(':1000\r\n');
  await expect.poll(async () => (await ringOf(proxy)).nodes.map((node) => node.keys)).toEqual([0, 0]);
  expect(await client.text('EVAL', 'return 1', '0')).toMatch(/^-NOPERM/);
  expect(await client.text('SUBSCRIBE', 'channel')).toMatch(/^-NOPERM/);
});

describe('a change for which a right lacks', () => {
  // Without others keys go another way: see `fitness.test.ts`.
  it.each(['scan', 'restore', 'unlink', 'exists', 'client|kill', 'client|list'])(
    '%s: is refused, and says which',
    {
      timeout: 180_000,
    },
    async (command) => {
      const nodes = await withRules(3, `${aclRules('change')} -${command}`);
      const proxy = await startRingproxy({
        nodes: nodes.slice(0, 2),
        config: CONFIG,
        allowLog: [/change/],
      });
      await fill(proxy, 300);
      const refused = await post(proxy, 'changes', add('node3', nodes[2])).catch(String);
      expect(refused).toMatch(/NODE_RIGHTS/);
      expect(refused).toContain(`does not let the proxy use ${command}`);
    },
  );
});
