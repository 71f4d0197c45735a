/** Transactions and commands that wait, while keys change hands. */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { add, fill, ownersOf, post, settled, until } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

interface Stage {
  readonly proxy: RingproxyProcess;
  readonly nodes: readonly RedisProcess[];
  readonly second: RedisProcess;
}

/** A ring of one node that has keys, and another node that may join. */
async function stage(args: readonly string[] = []): Promise<Stage> {
  const nodes = await startRedises(2);
  const [first, second] = nodes as [RedisProcess, RedisProcess];
  const proxy = await startRingproxy({ nodes: [first], args });
  await fill(proxy, 5000);
  return { proxy, nodes, second };
}

function connectAll(proxy: RingproxyProcess, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(proxy.port)));
}

async function blocked(nodes: readonly RedisProcess[]): Promise<number[]> {
  const infos = await Promise.all(nodes.map((node) => node.client().info('clients')));
  return infos.map((info) => Number(/blocked_clients:(\d+)/.exec(info)?.[1]));
}

async function untilBlocked(nodes: readonly RedisProcess[], count: number): Promise<number[]> {
  for (;;) {
    const counts = await blocked(nodes);
    if (counts.reduce((sum, each) => sum + each, 0) === count) return counts;
  }
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}:${i}`);

describe.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
] as const)('%s', (_title, args) => {
  it('EXEC answers nil when a watched key has moved, and runs when it has not', async () => {
    const { proxy, second } = await stage(args);
    const keys = names('w', 60);
    const clients = await connectAll(proxy, keys.length);
    for (const [i, client] of clients.entries()) expect(await client.text('WATCH', keys[i] as string)).toBe('+OK\r\n');
    const before = await ownersOf(proxy, keys);
    // Half of them are in the middle of a transaction while the ring changes.
    for (const client of clients.filter((__, i) => i % 2 === 0)) await client.command('MULTI');
    await post(proxy, 'changes', add('node2', second));
    await settled(proxy);
    const after = await ownersOf(proxy, keys);
    expect(after.filter((owner, i) => owner !== before[i]).length).toBeGreaterThan(10);
    for (const [i, client] of clients.entries()) {
      const moved = after[i] !== before[i];
      if (i % 2 === 1) expect(await client.text('MULTI')).toBe('+OK\r\n');
      expect(await client.text('SET', keys[i] as string, '1')).toBe('+QUEUED\r\n');
      expect(await client.text('EXEC')).toBe(moved ? '*-1\r\n' : '*1\r\n+OK\r\n');
      // Again, as a client does it that was told so.
      const again = await client.pipeline([
        ['WATCH', keys[i] as string],
        ['MULTI'],
        ['SET', keys[i] as string, '2'],
        ['EXEC'],
      ]);
      expect(String(again[3])).toBe('*1\r\n+OK\r\n');
    }
  });

  it('a transaction that was begun before the change runs on the new owner', async () => {
    const { proxy, nodes, second } = await stage(args);
    const tags = names('t', 60);
    const clients = await connectAll(proxy, tags.length);
    await Promise.all(
      clients.map((client, i) =>
        client.pipeline([
          ['SET', `{${tags[i]}}n`, '1'],
          ['MULTI'],
          ['INCR', `{${tags[i]}}n`],
          ['RPUSH', `{${tags[i]}}l`, 'x'],
        ]),
      ),
    );
    await post(proxy, 'changes', add('node2', second));
    await until(proxy, (view) => view.phase === 'moving' || view.change === null);
    const replies = await Promise.all(clients.map((client) => client.text('EXEC')));
    expect(new Set(replies)).toEqual(new Set(['*2\r\n:2\r\n:1\r\n']));
    await settled(proxy);
    const owners = await ownersOf(
      proxy,
      tags.map((tag) => `{${tag}}n`),
    );
    for (const node of nodes) {
      const own = tags.filter((__, i) => owners[i] === node.address);
      expect(own.length).toBeGreaterThan(5);
      expect(await node.client().mget(own.map((tag) => `{${tag}}n`))).toEqual(own.map(() => '2'));
    }
  });

  it('what waits goes on at the new owner, with an element for each', { timeout: 180_000 }, async () => {
    const { proxy, nodes, second } = await stage(args);
    const keys = names('q', 60);
    const forms: ((key: string) => string[])[] = [
      (key) => ['BLPOP', key, '0'],
      (key) => ['BRPOP', key, '100'],
      (key) => ['BLMPOP', '0', '1', key, 'LEFT'],
      (key) => ['BLMOVE', key, `{${key}}:to`, 'LEFT', 'RIGHT', '0'],
    ];
    const clients = await connectAll(proxy, keys.length);
    const replies = keys.map((key, i) => clients[i]?.text(...(forms[i % 4] as (key: string) => string[])(key)));
    await untilBlocked(nodes, keys.length);
    await post(proxy, 'changes', add('node2', second));
    await settled(proxy);
    const counts = await untilBlocked(nodes, keys.length);
    const owners = await ownersOf(proxy, keys);
    expect(counts).toEqual(nodes.map((node) => owners.filter((owner) => owner === node.address).length));
    expect(counts[1]).toBeGreaterThan(10);
    const pusher = proxy.client();
    await Promise.all(keys.map((key) => pusher.rpush(key, `element of ${key}`)));
    for (const [i, reply] of replies.entries()) expect(await reply).toContain(`element of ${keys[i]}\r\n`);
    await untilBlocked(nodes, 0);
  });

  it('XREAD from $ misses no entry that is added while it changes nodes', { timeout: 180_000 }, async () => {
    const { proxy, nodes, second } = await stage(args);
    const keys = names('s', 60);
    const adder = proxy.client();
    await Promise.all(keys.slice(0, 40).map((key) => adder.xadd(key, '5-0', 'f', 'old')));
    const clients = await connectAll(proxy, keys.length);
    const replies = keys.map((key, i) => clients[i]?.text('XREAD', 'BLOCK', '0', 'STREAMS', key, '$'));
    await untilBlocked(nodes, keys.length);
    await post(proxy, 'changes', add('node2', second));
    // At once: while the commands are between the nodes.
    await Promise.all(keys.map((key) => adder.xadd(key, '6-0', 'f', 'new')));
    for (const reply of replies) expect(await reply).toContain('6-0\r\n*2\r\n$1\r\nf\r\n$3\r\nnew\r\n');
    await settled(proxy);
  });

  it('the time that a command waits goes on while it changes nodes', async () => {
    const { proxy, nodes, second } = await stage(args);
    const keys = names('q', 40);
    const clients = await connectAll(proxy, keys.length);
    const started = performance.now();
    const replies = keys.map((key, i) => clients[i]?.text('BLPOP', key, '5'));
    await untilBlocked(nodes, keys.length);
    // No event: long enough that it makes a difference whether the time begins anew.
    await new Promise((resolve) => setTimeout(resolve, 3000 - (performance.now() - started)));
    const changed = performance.now() - started;
    await post(proxy, 'changes', add('node2', second));
    for (const reply of replies) expect(await reply).toBe('*-1\r\n');
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(4900);
    expect(took).toBeLessThan(changed + 5000);
    await settled(proxy);
  });

  it('a client that hangs up, and one that is unblocked, are done with', async () => {
    const { proxy, nodes, second } = await stage(args);
    const keys = names('q', 40);
    const clients = await connectAll(proxy, keys.length);
    const replies = keys.map((key, i) => clients[i]?.text('BLPOP', key, '0'));
    for (const reply of replies) reply?.catch(() => {});
    await untilBlocked(nodes, keys.length);
    await post(proxy, 'changes', add('node2', second));
    for (const client of clients) client.close();
    await untilBlocked(nodes, 0);
    await settled(proxy);
    const pusher = proxy.client();
    for (const key of keys) await pusher.rpush(key, 'kept');
    expect(await Promise.all(keys.map((key) => pusher.llen(key)))).toEqual(keys.map(() => 1));
  });
});

it('each element is popped once, and each optimistic increment counts once, while nodes come and go', {
  timeout: 120_000,
}, async () => {
  const nodes = await startRedises(4);
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 2) });
  await fill(proxy, 20_000);
  const queues = names('jobs', 20);
  let running = true;
  let pushed = 0;
  const popped = new Map<string, number>();
  const note = (reply: string): boolean => {
    const element = /element:\d+/.exec(reply)?.[0];
    if (element !== undefined) popped.set(element, (popped.get(element) ?? 0) + 1);
    else if (!/^[*$]-1\r\n$/.test(reply)) throw new Error(reply);
    return element !== undefined;
  };
  const consume = async (client: RawClient, i: number): Promise<void> => {
    const queue = queues[i % queues.length] as string;
    const forms = [
      ['BLPOP', queue, '0.2'],
      ['BRPOP', queue, '3'],
      ['BLMPOP', '1', '1', queue, 'LEFT'],
      ['BLMOVE', queue, `{${queue}}:done`, 'LEFT', 'RIGHT', '1'],
    ];
    const form = forms[Math.floor(i / queues.length) % forms.length] as string[];
    while (note(await client.text(...form)) || running);
  };
  const produce = async (client: RawClient): Promise<void> => {
    while (running) {
      const element = pushed++;
      await client.text('RPUSH', queues[element % queues.length] as string, `element:${element}`);
    }
  };
  let increments = 0;
  const increment = async (client: RawClient, i: number): Promise<void> => {
    const tag = `counter:${i % 5}`;
    while (running) {
      await client.text('WATCH', `{${tag}}`);
      const value = Number((await client.text('GET', `{${tag}}`)).split('\r\n')[1] ?? 0);
      await client.text('MULTI');
      await client.text('SET', `{${tag}}`, String((Number.isNaN(value) ? 0 : value) + 1));
      await client.text('INCR', `{${tag}}:check`);
      const reply = await client.text('EXEC');
      if (reply.startsWith('*2')) increments++;
      else expect(reply).toBe('*-1\r\n');
    }
  };
  const consumers = (await connectAll(proxy, 80)).map(consume);
  const producers = (await connectAll(proxy, 4)).map(produce);
  const counters = (await connectAll(proxy, 10)).map(increment);
  await post(proxy, 'changes', add('node3', nodes[2]));
  await settled(proxy);
  await post(proxy, 'changes', add('node4', nodes[3], 2));
  await settled(proxy);
  await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
  await settled(proxy);
  running = false;
  await Promise.all([...producers, ...counters]);
  await Promise.all(consumers);
  expect(pushed).toBeGreaterThan(500);
  expect([...popped].filter(([, times]) => times !== 1)).toEqual([]);
  const left = (await Promise.all(queues.map((queue) => proxy.client().llen(queue)))).reduce((a, b) => a + b);
  expect(popped.size + left).toBe(pushed);
  expect(left).toBe(0);
  const client = proxy.client();
  let sum = 0;
  for (const tag of names('counter', 5)) {
    const [value, check] = await client.mget(`{${tag}}`, `{${tag}}:check`);
    expect(value).toBe(check);
    sum += Number(value);
  }
  expect(increments).toBeGreaterThan(100);
  expect(sum).toBe(increments);
});

it('transactions over several nodes count once, and watched pairs keep their sum, while nodes come and go', {
  timeout: 120_000,
}, async () => {
  const nodes = await startRedises(3);
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 2) });
  await fill(proxy, 10_000);
  const all = names('n', 40);
  const counts = new Map(all.map((key) => [key, 0]));
  let running = true;
  let transactions = 0;
  let moved = 0;
  const count = async (client: RawClient, i: number): Promise<void> => {
    for (let round = i; running; round++) {
      const keys = Array.from({ length: 5 }, (_, k) => all[(round * 7 + k * 11) % all.length] as string);
      const replies = await client.pipeline([['MULTI'], ...keys.map((key) => ['INCR', key]), ['EXEC']]);
      expect(String(replies.at(-1))).toMatch(/^\*5\r\n(:\d+\r\n){5}$/);
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
      transactions++;
    }
  };
  const move = async (client: RawClient, i: number): Promise<void> => {
    const pair = [`from:${i}`, `to:${i}`];
    await client.text('MSET', pair[0] as string, '1000000', pair[1] as string, '0');
    while (running) {
      const replies = await client.pipeline([
        ['WATCH', ...pair],
        ['MGET', ...pair],
      ]);
      const [from, to] = String(replies[1])
        .split('\r\n')
        .filter((line) => /^\d/.test(line))
        .map(Number);
      const next = [Number(from) - 1, Number(to) + 1];
      await client.text('MULTI');
      await client.text('MSET', pair[0] as string, String(next[0]), pair[1] as string, String(next[1]));
      const reply = await client.text('EXEC');
      if (reply === '*1\r\n+OK\r\n') moved++;
      else expect(reply).toBe('*-1\r\n');
    }
    const values = String(await client.text('MGET', ...pair)).match(/^\d+$/gm);
    expect(values?.map(Number).reduce((a, b) => a + b)).toBe(1_000_000);
  };
  const work = [...(await connectAll(proxy, 8)).map(count), ...(await connectAll(proxy, 8)).map(move)];
  await post(proxy, 'changes', add('node3', nodes[2]));
  await settled(proxy);
  await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
  await settled(proxy);
  running = false;
  await Promise.all(work);
  expect(transactions).toBeGreaterThan(100);
  expect(moved).toBeGreaterThan(50);
  const found = await proxy.client().mget(all);
  expect(found.map(Number)).toEqual([...counts.values()]);
});
