/** EVALSHA through the proxy: every node runs every script that a client has sent, whichever node it came to. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { add, ownersOf, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const SET = "redis.call('set', KEYS[1], ARGV[1]) return 'was set to ' .. ARGV[1]";
const NOSCRIPT = '-NOSCRIPT No matching script. Please use EVAL.\r\n';

const digestOf = (body: string): string => createHash('sha1').update(body).digest('hex');
const wasSet = (value: string): string => `$${11 + value.length}\r\nwas set to ${value}\r\n`;

interface Stage {
  readonly nodes: RedisProcess[];
  readonly proxy: RingproxyProcess;
}

/** On a slow machine too a script that hangs is to be ended before it counts as lost. */
const PATIENT = { RINGPROXY_REQUEST_TIMEOUT: '60s' };

async function start(args: string[] = []): Promise<Stage> {
  const nodes = await startRedises(3);
  return { nodes, proxy: await startRingproxy({ nodes, args, env: PATIENT, allowLog: [/node\d/] }) };
}

/** For tests that leave all nodes as they are. */
let common: Stage;

beforeAll(async () => {
  common = await start();
});

async function withoutScripts(): Promise<Stage> {
  await common.proxy.client().script('FLUSH');
  return common;
}

/** A key of each node, in their order. */
async function keyOfEach(proxy: RingproxyProcess, nodes: readonly RedisProcess[]): Promise<string[]> {
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
  const owners = await ownersOf(proxy, keys);
  return nodes.map((node) => keys[owners.indexOf(node.address)] as string);
}

describe('a script', () => {
  it('that came by EVAL to one node is found by its digest on all', async () => {
    const { nodes, proxy } = await withoutScripts();
    const client = await RawClient.connect(proxy.port);
    const [first = '', ...others] = await keyOfEach(proxy, nodes);
    expect(await client.text('EVALSHA', digestOf(SET), '1', first, 'x')).toBe(NOSCRIPT);
    expect(await client.text('EVAL', SET, '1', first, 'x')).toBe(wasSet('x'));
    for (const key of others) {
      expect(await client.text('EVALSHA', digestOf(SET).toUpperCase(), '1', key, 'y')).toBe(wasSet('y'));
      expect(await client.text('GET', key)).toBe('$1\r\ny\r\n');
    }
    expect(await client.text('EVALSHA_RO', digestOf(SET), '1', first, 'z')).toMatch(
      /^-ERR Write commands are not allowed/,
    );
  });

  it('runs before what its client has sent behind it, also where it must be loaded first', async () => {
    const { nodes, proxy } = await withoutScripts();
    const client = await RawClient.connect(proxy.port);
    await client.command('EVAL', SET, '1', (await keyOfEach(proxy, nodes))[0] ?? '', 'x');
    const keys = Array.from({ length: 300 }, (_, i) => `order:${i}`);
    const replies = await client.pipeline(
      keys.flatMap((key) => [
        ['EVALSHA', digestOf(SET), '1', key, key],
        ['GET', key],
      ]),
    );
    const expected = keys.flatMap((key) => [wasSet(key), `$${key.length}\r\n${key}\r\n`]);
    expect(replies.map(String)).toEqual(expected);
  });

  it('is loaded again where somebody has flushed the scripts, or the node was restarted', async () => {
    const { nodes, proxy } = await start();
    const client = await RawClient.connect(proxy.port);
    const keys = await keyOfEach(proxy, nodes);
    await client.command('SCRIPT', 'LOAD', SET);
    for (const node of nodes) expect(await node.client().script('EXISTS', digestOf(SET))).toEqual([1]);
    for (const key of keys) expect(await client.text('EVALSHA', digestOf(SET), '1', key, 'a')).toBe(wasSet('a'));
    for (const node of nodes) await node.client().script('FLUSH');
    for (const key of keys) expect(await client.text('EVALSHA', digestOf(SET), '1', key, 'b')).toBe(wasSet('b'));
    await nodes[1]?.restart();
    const again = keys[1] ?? '';
    await expect.poll(() => client.text('GET', again), { timeout: 30_000 }).toBe('$-1\r\n');
    expect(await client.text('EVALSHA', digestOf(SET), '1', again, 'c')).toBe(wasSet('c'));
  });

  it('is found by what waits between MULTI and EXEC', async () => {
    const { nodes, proxy } = await withoutScripts();
    const client = await RawClient.connect(proxy.port);
    const [first = '', second = '', third = ''] = await keyOfEach(proxy, nodes);
    await client.command('EVAL', SET, '1', first, 'x');
    const replies = await client.pipeline([
      ['MULTI'],
      ['EVALSHA', digestOf(SET), '1', second, 'y'],
      ['GET', second],
      ['EXEC'],
      ['GET', second],
    ]);
    expect(replies.map(String)).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      `*2\r\n${wasSet('y')}$1\r\ny\r\n`,
      '$1\r\ny\r\n',
    ]);
    // What EXEC brings is known outside of it, too.
    const other = "return 'other'";
    await client.pipeline([['MULTI'], ['EVAL', other, '1', first], ['SCRIPT', 'LOAD', 'return 7'], ['EXEC']]);
    expect(await client.text('EVALSHA', digestOf(other), '1', third)).toBe('$5\r\nother\r\n');
    for (const node of nodes) expect(await node.client().script('EXISTS', digestOf('return 7'))).toEqual([1]);
  });

  it('whose keys have several owners is refused, and one without keys runs', async () => {
    const { nodes, proxy } = await withoutScripts();
    const client = await RawClient.connect(proxy.port);
    const [first = '', second = ''] = await keyOfEach(proxy, nodes);
    expect(await client.text('EVAL', 'return 1', '2', first, second)).toMatch(/^-CROSSSLOT/);
    expect(await client.text('EVALSHA', digestOf('return 1'), '2', first, second)).toMatch(/^-CROSSSLOT/);
    expect(await client.text('EVAL', 'return ARGV[1]', '0', 'x')).toBe('$1\r\nx\r\n');
    expect(await client.text('EVALSHA', digestOf('return ARGV[1]'), '0', 'y')).toBe('$1\r\ny\r\n');
  });

  it('that does not compile is answered as by a single Redis, and is not found later', async () => {
    const { proxy } = await withoutScripts();
    const single = await RawClient.connect((await startRedis()).port);
    const client = await RawClient.connect(proxy.port);
    for (const words of [
      ['EVAL', 'nonsense(', '1', 'k'],
      ['EVALSHA', digestOf('nonsense('), '1', 'k'],
      ['EVALSHA', digestOf('nonsense('), '1', 'k'],
      ['SCRIPT', 'LOAD', 'nonsense('],
      ['SCRIPT', 'EXISTS', digestOf('nonsense(')],
      ['EVALSHA', 'not a digest', '1', 'k'],
      ['EVAL', 'return 1', 'x', 'k'],
      ['EVAL', 'return 1', '-1', 'k'],
      ['EVAL', 'return 1', '2', 'k'],
      ['SCRIPT', 'LOAD'],
      ['SCRIPT', 'NOSUCH'],
    ]) {
      expect([words, await client.text(...words)]).toEqual([words, await single.text(...words)]);
    }
  });

  it('moves with a ring that changes: a node that joins runs it', async () => {
    const { proxy } = await start();
    const client = await RawClient.connect(proxy.port);
    const keys = Array.from({ length: 500 }, (_, i) => `c${i}`);
    await client.command('EVAL', SET, '1', 'x', 'x');
    await client.pipeline(keys.map((key) => ['SET', key, 'before']));
    const joining = await startRedis();
    await post(proxy, 'changes', add('node4', joining));
    // While keys move: each runs once, at the owner of its key.
    const replies = await client.pipeline(keys.map((key) => ['EVALSHA', digestOf(SET), '1', key, key]));
    expect(replies.map(String)).toEqual(keys.map(wasSet));
    await settled(proxy);
    expect(await joining.client().dbsize()).toBeGreaterThan(50);
    const values = await client.pipeline(keys.map((key) => ['GET', key]));
    expect(values.map(String)).toEqual(keys.map((key) => `$${key.length}\r\n${key}\r\n`));
    const moved = keys[(await ownersOf(proxy, keys)).indexOf(joining.address)] ?? '';
    expect(await client.text('EVALSHA', digestOf(SET), '1', moved, 'after')).toBe(wasSet('after'));
  });

  it('that one worker knows is found by the clients of another', async () => {
    const { nodes, proxy } = await start(['--workers', '2']);
    // Each goes to the worker with the fewest clients.
    const [one, other] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    const [first = '', second = '', third = ''] = await keyOfEach(proxy, nodes);
    for (let i = 0; i < 20; i++) {
      const body = `return {${i}, KEYS[1]}`;
      const expected = (key: string): string => `*2\r\n:${i}\r\n$${key.length}\r\n${key}\r\n`;
      expect(await one.text('EVAL', body, '1', first)).toBe(expected(first));
      expect(await other.text('EVALSHA', digestOf(body), '1', second)).toBe(expected(second));
      await other.pipeline([['MULTI'], ['EVALSHA', digestOf(body), '1', third]]);
      expect(await other.text('EXEC')).toBe(`*1\r\n${expected(third)}`);
    }
    expect(await other.text('EVALSHA', digestOf('unknown'), '1', second)).toBe(NOSCRIPT);
    expect(await one.text('SCRIPT', 'FLUSH')).toBe('+OK\r\n');
    await expect.poll(() => other.text('EVALSHA', digestOf('return {1, KEYS[1]}'), '1', second)).toBe(NOSCRIPT);
  });
});

it('a node that a script keeps busy is known to be so in every worker', async () => {
  const { nodes, proxy } = await start(['--workers', '2']);
  const [hanging, other] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
  const [first = ''] = await keyOfEach(proxy, nodes);
  await nodes[0]?.client().config('SET', 'busy-reply-threshold', '10');
  const ended = hanging.text('EVAL', 'while true do end', '1', first);
  const inTransaction = async (): Promise<string> => {
    const replies = await other.pipeline([['MULTI'], ['INCR', first], ['DISCARD']]);
    return String(replies[1]);
  };
  await expect.poll(inTransaction, { timeout: 30_000 }).toMatch(/^-BUSY Redis is busy/);
  expect(await other.text('SCRIPT', 'KILL')).toBe('+OK\r\n');
  expect(await ended).toMatch(/^-ERR .*Script killed by user/);
  await expect.poll(inTransaction, { timeout: 30_000 }).toBe('+QUEUED\r\n');
});

/** Runs for so many milliseconds. */
const SPIN = `
  local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
  local finish = now() + ARGV[1]
  repeat until now() > finish
  return 'ran to its end'`;

it('a script may take longer than request-timeout, and its node does not count as down for it', async () => {
  const nodes = await startRedises(2);
  const env = {
    ...{ RINGPROXY_REQUEST_TIMEOUT: '2s', RINGPROXY_CONNECT_TIMEOUT: '1s' },
    ...{ RINGPROXY_PROBE_INTERVAL: '100ms', RINGPROXY_PROBE_TIMEOUT: '20s' },
  };
  const proxy = await startRingproxy({ nodes, env });
  const [first = ''] = await keyOfEach(proxy, nodes);
  // The node says nothing at all until then, and nobody may take that for its end.
  await nodes[0]?.client().config('SET', 'busy-reply-threshold', '2500');
  const spinning = await RawClient.connect(proxy.port);
  let isOver = false;
  const ended = spinning.text('EVAL', SPIN, '1', first, '6000').finally(() => {
    isOver = true;
  });
  const answers = new Set<string>();
  // The proxy needs a moment to see that the script takes long: who is as quick as that may wait for its end.
  const others: Promise<unknown>[] = [];
  while (!isOver) {
    const other = await RawClient.connect(proxy.port);
    others.push(other.text('GET', first).then((answer) => answers.add(answer.slice(0, 5))));
    // Clients come again and again, not as fast as they can.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await ended).toBe('$14\r\nran to its end\r\n');
  await Promise.all(others);
  expect([...answers].filter((answer) => answer !== '$-1\r\n')).toEqual(['-BUSY']);
});

it('a script on the connection of one client alone may take as long, too', async () => {
  const nodes = await startRedises(2);
  const env = { RINGPROXY_REQUEST_TIMEOUT: '2s', RINGPROXY_PROBE_TIMEOUT: '20s' };
  const proxy = await startRingproxy({ nodes, env });
  const [first = ''] = await keyOfEach(proxy, nodes);
  await nodes[0]?.client().config('SET', 'busy-reply-threshold', '500');
  const [watching, other] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
  // What watches has a connection to the node for itself.
  await watching.command('WATCH', first);
  const ended = watching.text('EVAL', SPIN, '1', first, '5000');
  await expect.poll(() => other.text('GET', first), { timeout: 30_000 }).toMatch(/^-BUSY/);
  expect(await ended).toBe('$14\r\nran to its end\r\n');
  // It is known at once that the node is free, and the connection still watches.
  expect(await watching.text('GET', first)).toBe('$-1\r\n');
  await other.command('SET', first, 'other');
  expect((await watching.pipeline([['MULTI'], ['SET', first, 'own'], ['EXEC']])).at(-1)?.toString()).toBe('*-1\r\n');
});

it('a worker whose clients have nothing to do with a script does not take its node for dead', async () => {
  const nodes = await startRedises(2);
  const env = { RINGPROXY_REQUEST_TIMEOUT: '2s', RINGPROXY_CONNECT_TIMEOUT: '1s', RINGPROXY_PROBE_TIMEOUT: '20s' };
  const proxy = await startRingproxy({ nodes, env, args: ['--workers', '2'] });
  const [first = ''] = await keyOfEach(proxy, nodes);
  await nodes[0]?.client().config('SET', 'busy-reply-threshold', '2500');
  const spinning = await RawClient.connect(proxy.port);
  let isOver = false;
  const ended = spinning.text('EVAL', SPIN, '1', first, '5000').finally(() => {
    isOver = true;
  });
  const answers = new Set<string>();
  const others: Promise<unknown>[] = [];
  while (!isOver) {
    // In RESP3 each worker needs a connection that it has not got.
    const other = await RawClient.connect(proxy.port);
    await other.command('HELLO', '3');
    others.push(other.text('GET', first).then((answer) => answers.add(answer.slice(0, 5))));
    // Clients come again and again, not as fast as they can.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await ended).toBe('$14\r\nran to its end\r\n');
  await Promise.all(others);
  // Who asks when it has just ended hears that there is no such key.
  expect([...answers].filter((answer) => answer !== '_\r\n')).toEqual(['-BUSY']);
});

describe('SCRIPT', () => {
  it('EXISTS speaks for all nodes, and FLUSH leaves no script anywhere', async () => {
    const { nodes, proxy } = await withoutScripts();
    const client = await RawClient.connect(proxy.port);
    const exists = (...bodies: string[]): Promise<string> => client.text('SCRIPT', 'EXISTS', ...bodies.map(digestOf));
    const bodies = ['return 1', 'return 2', 'return 3'];
    expect(await client.text('SCRIPT', 'LOAD', 'return 1')).toBe(`$40\r\n${digestOf('return 1')}\r\n`);
    await client.command('EVAL', 'return 2', '1', 'k');
    expect(await exists(...bodies)).toBe('*3\r\n:1\r\n:1\r\n:0\r\n');
    // One that only a node knows is not found on the others.
    await nodes[0]?.client().script('LOAD', 'return 3');
    await nodes[1]?.client().script('FLUSH');
    expect(await exists(...bodies)).toBe('*3\r\n:1\r\n:1\r\n:0\r\n');
    expect(await nodes[1]?.client().script('EXISTS', digestOf('return 1'))).toEqual([1]);
    expect(await client.text('SCRIPT', 'FLUSH')).toBe('+OK\r\n');
    expect(await exists(...bodies)).toBe('*3\r\n:0\r\n:0\r\n:0\r\n');
    for (const key of await keyOfEach(proxy, nodes)) {
      expect(await client.text('EVALSHA', digestOf('return 1'), '1', key)).toBe(NOSCRIPT);
    }
  });

  it('FLUSH leaves no script in any worker', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(2), args: ['--workers', '2'] });
    // Of two clients one after the other, each is of another worker.
    const [flushing, calling] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    for (let i = 0; i < 100; i++) {
      const body = `return ${i}`;
      expect(await calling.text('EVAL', body, '1', 'k')).toBe(`:${i}\r\n`);
      expect(await flushing.text('SCRIPT', 'FLUSH')).toBe('+OK\r\n');
      expect(await calling.text('EVALSHA', digestOf(body), '1', 'k')).toBe(NOSCRIPT);
    }
  });

  it('LOAD goes well without a node that is down, which runs the script when it is back', async () => {
    const { nodes, proxy } = await start();
    const client = await RawClient.connect(proxy.port);
    const key = (await keyOfEach(proxy, nodes))[2] ?? '';
    await nodes[2]?.stop();
    await expect.poll(() => client.text('GET', key)).toMatch(/^-NODEDOWN/);
    expect(await client.text('SCRIPT', 'LOAD', SET)).toBe(`$40\r\n${digestOf(SET)}\r\n`);
    await nodes[2]?.start();
    await expect.poll(() => client.text('GET', key), { timeout: 30_000 }).toBe('$-1\r\n');
    expect(await client.text('EVALSHA', digestOf(SET), '1', key, 'x')).toBe(wasSet('x'));
  });

  it('KILL ends a script that hangs, and meanwhile others hear that the node is busy', async () => {
    const { nodes, proxy } = await start();
    const [hanging, client] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    const [first = '', second = ''] = await keyOfEach(proxy, nodes);
    expect(await client.text('SCRIPT', 'KILL')).toBe('-NOTBUSY No scripts in execution right now.\r\n');
    await nodes[0]?.client().config('SET', 'busy-reply-threshold', '10');
    const ended = hanging.text('EVAL', 'while true do end', '1', first);
    // Who asks at once waits behind the script: with a client of its own, each.
    const ask = async (): Promise<string> => {
      const other = await RawClient.connect(proxy.port);
      return Promise.race([
        other.text('GET', first).catch(String),
        new Promise<string>((resolve) => setTimeout(() => resolve('waits'), 1000)),
      ]);
    };
    await expect.poll(ask, { timeout: 30_000 }).toMatch(/^-BUSY Redis is busy/);
    expect(await client.text('GET', second)).toBe('$-1\r\n');
    // What the node would refuse is not queued either.
    const replies = await client.pipeline([['MULTI'], ['SET', first, 'x'], ['EXEC']]);
    expect(replies.at(-1)?.toString()).toMatch(/^-EXECABORT .*/);
    expect(await client.text('SCRIPT', 'KILL')).toBe('+OK\r\n');
    expect(await ended).toMatch(/^-ERR .*Script killed by user/);
    expect(await client.text('GET', first)).toBe('$-1\r\n');
    // Until the proxy has seen that the connection of the script is free.
    await expect.poll(() => client.text('PING'), { timeout: 30_000 }).toBe('+PONG\r\n');
  });
});
