/**
 * Transactions with commands whose keys are on several nodes, and which no node runs by itself: what fails, what is watched,
 * and what comes in between. Replies without that: `fuzz/transactions`.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { elementsIn } from '../../../../src/proxy/features/cross-node/replies.js';
import { bulk, request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { add, ownersOf, post, ringOf, settled, until } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { exec, startTwoNodes, type TwoNodes } from './two-nodes.js';

let shared: TwoNodes;
beforeAll(async () => {
  shared = await startTwoNodes(
    400,
    'cross-node-max-bytes: 1mb\nkey-groups:\n  d: { prefixes: ["d:"], default-ttl: 1d }\n',
  );
});

/** Keys of each node that nobody else has used. */
let used = 0;
function fresh(): { a: string; a2: string; a3: string; b: string; b2: string } {
  const [a = '', a2 = '', a3 = ''] = shared.a.slice(used, used + 3);
  const [b = '', b2 = ''] = shared.b.slice(used, used + 3);
  used += 3;
  return { a, a2, a3, b, b2 };
}

function bulkOf(text: string): string {
  return bulk(text).toString();
}

/** What is answered in the place of a command that was not begun. @param why as a regular expression */
function left(why: string): string {
  return `-EXECABORT The (?:command|part of node node\\d) was not carried out, others were: ${why}\\r\\n`;
}

describe('what fails', () => {
  it('a node within a step: what stands in front of it has run, and what stands behind it has not', async () => {
    const { client, relay, nodes } = shared;
    const { a, a2, a3, b, b2 } = fresh();
    await client.command('SET', a, 'value');
    const cut = relay.cutBefore('RESTORE');
    const reply = await exec(
      client,
      ['SET', a2, '1'],
      ['SET', b2, '1'],
      ['RENAME', a, b],
      ['SET', a3, '1'],
      ['DEL', a],
      ['COPY', a2, b2],
      ['PING'],
    );
    await cut;
    const lost = 'NODEDOWN node node2 [^\\r]*unknown';
    expect(reply).toMatch(new RegExp(`^\\*7\\r\\n(\\+OK\\r\\n){2}-${lost}\\r\\n(${left(lost)}){4}$`));
    expect(await nodes[0].client().mget(a, a2, a3)).toEqual(['value', '1', null]);
    await expect.poll(() => client.text('MGET', b, b2)).toBe(`*2\r\n$-1\r\n${bulkOf('1')}`);
  });

  it('a node in front of the last stage: what has run is answered', async () => {
    const { client, relay } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.command('RPUSH', a, 'x');
    const cut = relay.cutAfter((words) => words[0] === 'GET');
    const reply = await exec(client, ['LMOVE', a, b, 'LEFT', 'LEFT'], ['SET', a2, '1'], ['GET', b2], ['SUNION', a, b2]);
    await cut;
    const lost = 'NODEDOWN node node2 [^\\r]*unknown';
    expect(reply).toMatch(new RegExp(`^\\*4\\r\\n\\$1\\r\\nx\\r\\n\\+OK\\r\\n-${lost}\\r\\n${left(lost)}$`));
  });

  it('a value that is larger than nodes may lend: what would remove it does not run', async () => {
    const { client } = shared;
    const { a, b, b2 } = fresh();
    await client.pipeline([
      ['SADD', a, 'x'.repeat(1_100_000)],
      ['SADD', b, 'y'],
    ]);
    const reply = await exec(client, ['SUNIONSTORE', b2, a, b], ['DEL', a, b]);
    const why = 'ERR SUNIONSTORE would take \\d+ bytes from node to node, and cross-node-max-bytes is 1048576: [^\\r]*';
    expect(reply).toMatch(new RegExp(`^\\*2\\r\\n-${why}\\r\\n${left(why)}$`));
    expect(await client.text('EXISTS', a, b)).toBe(':2\r\n');
  });

  it('a node that is out of memory refuses the step, and nothing behind it runs', async () => {
    const { client, nodes } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.pipeline([
      ['SADD', a, 'x'],
      ['SADD', a2, 'y'],
      ['SET', b, 'z'],
    ]);
    await nodes[1].client().config('SET', 'maxmemory', '1');
    const reply = await exec(client, ['SUNIONSTORE', b2, a, a2], ['DEL', a, a2]);
    await nodes[1].client().config('SET', 'maxmemory', '0');
    expect(reply).toMatch(new RegExp(`^\\*2\\r\\n-OOM [^\\r]*\\r\\n${left('OOM [^\\r]*')}$`));
    expect(await client.text('EXISTS', a, a2)).toBe(':2\r\n');
  });

  it('an error of the command itself is its answer, and the next ones run, as in Redis', async () => {
    const { client } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.pipeline([
      ['SET', a, 'text'],
      ['SADD', b, 'y'],
    ]);
    expect(await exec(client, ['SUNIONSTORE', b2, a, b], ['RENAME', a2, b2], ['SET', a2, '1'], ['DEL', a, b])).toBe(
      '*4\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n-ERR no such key\r\n+OK\r\n:2\r\n',
    );
  });
});

it('what is known to be wrong is said as the command is queued', async () => {
  const { client } = shared;
  const { a, b } = fresh();
  const writes = ['EVAL', "return redis.call('SET', KEYS[1], '1')", '2', a, b];
  const replies = await client.pipeline([['MULTI'], writes, ['RENAME', a], ['EXEC']]);
  expect(replies.map(String)).toEqual([
    '+OK\r\n',
    expect.stringMatching(/^-CROSSSLOT .* this script may write: .* #!lua flags=no-writes/),
    "-ERR wrong number of arguments for 'rename' command\r\n",
    '-EXECABORT Transaction discarded because of previous errors.\r\n',
  ]);
  const modules = await client.pipeline([['MULTI'], ['MSETEX', '2', a, '1', b, '2'], ['LMOVEM', a, b], ['DISCARD']]);
  expect(modules.slice(1, 3).map(String)).toEqual([
    expect.stringMatching(/^-(CROSSSLOT|ERR) /),
    expect.stringMatching(/^-(CROSSSLOT|ERR) /),
  ]);
});

describe('watched keys', () => {
  it.each([
    ['of the first node', 'a'],
    ['of the second node', 'b'],
  ] as const)('%s, changed before: nothing runs', async (_title, changed) => {
    const { client, other } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.pipeline([
      ['SET', a, '1'],
      ['WATCH', a, b],
    ]);
    await other.command('SET', changed === 'a' ? a : b, 'other');
    expect(await exec(client, ['RENAME', a, b2], ['SET', a2, '1'])).toBe('*-1\r\n');
    expect(await client.text('EXISTS', a, a2, b2)).toBe(':1\r\n');
  });

  it('are not looked at any more when the first step is under way', async () => {
    const { client, relay, nodes } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.pipeline([
      ['SET', a, '1'],
      ['WATCH', a2, b2],
    ]);
    const kept = relay.hold('RESTORE');
    const reply = exec(client, ['RENAME', a, b], ['SET', a2, 'ours'], ['SET', b2, 'ours']);
    await kept.reached;
    await nodes[0].client().set(a2, 'other');
    await nodes[1].client().set(b2, 'other');
    await kept.deliver();
    expect(await reply).toBe('*3\r\n+OK\r\n+OK\r\n+OK\r\n');
    expect(await client.text('MGET', a2, b2)).toBe(`*2\r\n${bulkOf('ours')}${bulkOf('ours')}`);
  });

  it('of both nodes, and counted up in steps by many clients, are counted once by each', async () => {
    const { proxy } = shared;
    const { a, b } = fresh();
    let counted = 0;
    const count = async (): Promise<void> => {
      const own = await RawClient.connect(proxy.port);
      for (let i = 0; i < 15; i++) {
        await own.command('WATCH', a, b);
        const reply = await exec(own, ['RPUSH', a, 'x'], ['LMOVE', a, b, 'LEFT', 'RIGHT']);
        if (reply === '*-1\r\n') continue;
        expect(reply).toBe('*2\r\n:1\r\n$1\r\nx\r\n');
        counted++;
      }
    };
    await Promise.all(Array.from({ length: 4 }, count));
    expect(await shared.client.text('LLEN', b)).toBe(`:${counted}\r\n`);
    expect(await shared.client.text('EXISTS', a)).toBe(':0\r\n');
  });
});

describe('what comes in between', () => {
  it('what is in flight in front of EXEC is done before its steps', async () => {
    const { client, relay } = shared;
    const { a, a2, b } = fresh();
    await client.command('SET', a, 'old');
    const kept = relay.hold('SET');
    const replies = client.pipeline([
      ['SET', b, 'in front'],
      ['MULTI'],
      ['SET', a2, '1'],
      ['RENAME', b, a],
      ['EXEC'],
      ['GET', a],
    ]);
    await kept.reached;
    await kept.deliver();
    expect((await replies).slice(-2).map(String)).toEqual(['*2\r\n+OK\r\n+OK\r\n', bulkOf('in front')]);
  });

  it('a client that leaves: what was begun goes on to its end', async () => {
    const { proxy, relay, other } = shared;
    const { a, a2, b } = fresh();
    const client = await RawClient.connect(proxy.port);
    await client.command('SET', a, 'value');
    const kept = relay.hold('RESTORE');
    const reply = exec(client, ['RENAME', a, b], ['SET', a2, '1']).catch(() => 'left');
    await kept.reached;
    client.close();
    expect(await reply).toBe('left');
    await kept.deliver();
    await expect.poll(() => other.text('MGET', b, a2)).toBe(`*2\r\n${bulkOf('value')}${bulkOf('1')}`);
    expect(await other.text('EXISTS', a)).toBe(':0\r\n');
  });
});

it('a node joins while they run: nothing is lost, and nothing is done twice', async () => {
  const nodes = (await startRedises(3)) as [RedisProcess, RedisProcess, RedisProcess];
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 2) });
  const client = await RawClient.connect(proxy.port);
  const names = Array.from({ length: 300 }, (_, i) => `name:${i}`);
  await client.command('MSET', ...Array.from({ length: 5000 }, (_, i) => [`filler:${i}`, 'x']).flat());
  let isSettled = false;
  await post(proxy, 'changes', add('node3', nodes[2]));
  const change = settled(proxy).then(() => (isSettled = true));
  let round = 0;
  do {
    const [from = '', to = '', list = '', target = ''] = [0, 1, 2, 3].map(
      (i) => `${names[(round * 7 + i * 31) % 300]}:${i}`,
    );
    const reply = await exec(
      client,
      ['SET', from, String(round)],
      ['RENAME', from, to],
      ['GET', to],
      ['RPUSH', list, 'x', 'y'],
      ['LMOVE', list, target, 'LEFT', 'LEFT'],
      ['DEL', list, target],
      ['EXISTS', from, to],
    );
    expect(reply).toBe(`*7\r\n+OK\r\n+OK\r\n${bulkOf(String(round))}:2\r\n$1\r\nx\r\n:2\r\n:1\r\n`);
    round++;
  } while (!isSettled);
  await change;
  expect(round).toBeGreaterThan(1);

  // A node that nothing else of the transaction concerns is flushed as well, before what stands behind that.
  const owners = await ownersOf(proxy, names);
  const one = names[0] as string;
  const two = names.find((_, i) => owners[i] !== owners[0]) as string;
  expect(await exec(client, ['FLUSHALL'], ['COPY', one, two], ['SET', one, '1'], ['COPY', one, two], ['DBSIZE'])).toBe(
    '*5\r\n+OK\r\n:0\r\n+OK\r\n:1\r\n:2\r\n',
  );
});

describe('SCAN', () => {
  it.each(['2', '3'])('walks all nodes in transactions, also of another database (RESP%s)', async (version) => {
    const { proxy } = shared;
    const client = await RawClient.connect(proxy.port);
    await client.pipeline([['HELLO', version], ['SELECT', '5'], ['FLUSHDB']]);
    const names = Array.from({ length: 300 }, (_, i) => `scan:${i}`).sort();
    await client.pipeline([
      ['MSET', ...names.flatMap((name) => [name, 'x'])],
      ['SELECT', '0'],
    ]);
    const found: string[] = [];
    let cursor = '0';
    do {
      const reply = (
        await client.pipeline([
          ['MULTI'],
          ['SELECT', '5'],
          ['SCAN', cursor, 'MATCH', 'scan:*'],
          ['SELECT', '0'],
          ['EXEC'],
        ])
      ).at(-1);
      const page = elementsIn(elementsIn(reply as Buffer)[1] as Buffer);
      cursor = textOf(page[0] as Buffer);
      found.push(...elementsIn(page[1] as Buffer).map(textOf));
    } while (cursor !== '0');
    expect([...new Set(found)].sort()).toEqual(names);
    expect(await exec(client, ['SCAN', 'nonsense'], ['SCAN', '0', 'COUNT', '0'], ['PING'])).toBe(
      '*3\r\n-ERR invalid cursor\r\n-ERR syntax error\r\n+PONG\r\n',
    );
  });

  it('of one node alone', async () => {
    const one = await startRingproxy({ nodes: [await startRedis()] });
    const client = await RawClient.connect(one.port);
    expect(await exec(client, ['SET', 'k', '1'], ['SCAN', '0'])).toBe(
      '*2\r\n+OK\r\n*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n',
    );
  });
});

function textOf(element: Buffer): string {
  return element.toString('latin1', element.indexOf('\r\n') + 2, element.length - 2);
}

describe('what others see of it', () => {
  it('metrics count EXEC, and each of the commands by its way', async () => {
    const { proxy, client } = shared;
    const { a, a2, b, b2 } = fresh();
    await exec(client, ['SADD', a, '1'], ['SUNION', a, b], ['SMOVE', a, b, '1'], ['BLPOP', a2, b2, '0']);
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    for (const [command, way] of [
      ['exec', 'transaction'],
      ['sunion', 'lend'],
      ['smove', 'steps'],
      ['blpop', 'steps'],
    ]) {
      expect(metrics).toContain(`ringproxy_cross_node_commands_total{command="${command}",way="${way}"} `);
    }
  });

  it('keys that such a command reads are tracked', async () => {
    const { proxy, other } = shared;
    const { a, b } = fresh();
    const client = await RawClient.connect(proxy.port);
    await client.pipeline([
      ['HELLO', '3'],
      ['CLIENT', 'TRACKING', 'ON'],
    ]);
    await exec(client, ['SUNION', a, b]);
    await other.command('SADD', a, 'x');
    expect(String((await client.replies(1))[0])).toBe(`>2\r\n$10\r\ninvalidate\r\n*1\r\n${bulkOf(a)}`);
  });

  it('a group gives the target its time to live', async () => {
    const { client } = shared;
    const keys = Array.from({ length: 6 }, (_, i) => `d:${i}`);
    const reply = await exec(
      client,
      ...keys.map((key, i) => ['SUNIONSTORE', `${key}:to`, `none:${i}`, `nothing:${i}`]),
      ['SADD', 'd:x', '1'],
      ...keys.map((key) => ['COPY', 'd:x', `${key}:copy`]),
    );
    expect(reply).toMatch(/^\*13\r\n(:\d+\r\n){13}$/);
    for (const ttl of await client.pipeline(keys.map((key) => ['TTL', `${key}:copy`]))) {
      expect(Number(String(ttl).slice(1))).toBeGreaterThan(86_000);
    }
  });

  it('nothing where the client wants no replies (CLIENT REPLY OFF), in their order', async () => {
    const { client } = shared;
    const { a, b } = fresh();
    const rounds = Array.from({ length: 10 }, (_, i) => [
      ['MULTI'],
      ['RPUSH', a, String(i)],
      ['LMOVE', a, b, 'LEFT', 'RIGHT'],
      ['EXEC'],
    ]).flat();
    const all = [['CLIENT', 'REPLY', 'OFF'], ...rounds, ['CLIENT', 'REPLY', 'ON'], ['LRANGE', b, '0', '-1']];
    client.send(Buffer.concat(all.map((words) => Buffer.from(request(words)))));
    const [on, list] = await client.replies(2);
    expect(String(on)).toBe('+OK\r\n');
    expect(String(list)).toBe(
      `*10\r\n${rounds
        .filter((_, i) => i % 4 === 0)
        .map((_, i) => bulkOf(String(i)))
        .join('')}`,
    );
  });
});

it('thousands of steps are done in their order', async () => {
  const { client } = shared;
  const { a, b } = fresh();
  const moves = Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? ['RENAME', a, b] : ['RENAME', b, a]));
  await client.command('SET', a, 'value');
  expect(await exec(client, ...moves)).toBe(`*600\r\n${'+OK\r\n'.repeat(600)}`);
  expect(await client.text('GET', a)).toBe(bulkOf('value'));
});

it('a change of the ring waits until it has ended', async () => {
  const { proxy, relay, client } = shared;
  const [third] = await startRedises(1);
  const pairs = Array.from({ length: 20 }, () => fresh()).map(({ a, b }) => [a, b] as const);
  await client.command('MSET', ...pairs.flatMap(([from]) => [from, from]));
  const kept = relay.hold('RESTORE');
  const reply = exec(
    client,
    ...pairs.flatMap(([from, to]) => [
      ['RENAME', from, to],
      ['APPEND', to, '.'],
    ]),
  );
  await kept.reached;
  const changed = post(proxy, 'changes', add('node3', third));
  await until(proxy, ({ phase }) => phase === 'preparing');
  for (let i = 0; i < 5; i++) expect((await ringOf(proxy)).phase).toBe('preparing');
  await kept.deliver();
  await changed;
  expect(await reply).toBe(`*40\r\n${pairs.map(([from]) => `+OK\r\n:${from.length + 1}\r\n`).join('')}`);
  await settled(proxy);
  const values = pairs.map(([from]) => bulkOf(`${from}.`)).join('');
  expect(await client.text('MGET', ...pairs.map(([, to]) => to))).toBe(`*20\r\n${values}`);
});

it('a node that is down: nothing is sent to anyone', async () => {
  const { client, nodes, proxy, relay } = shared;
  const names = Array.from({ length: 60 }, (_, i) => `last:${i}`);
  const owners = await ownersOf(proxy, names);
  const [a = '', a2 = ''] = names.filter((_, i) => owners[i] === nodes[0].address);
  const b = names.find((_, i) => owners[i] === relay.address) as string;
  await client.text('SET', a, '1');
  await nodes[1].stop();
  await until(proxy, ({ nodes: [, second] }) => second?.state === 'down');
  expect(await exec(client, ['SET', a2, '1'], ['RENAME', a, b])).toMatch(/^-NODEDOWN node node2/);
  expect(await nodes[0].client().exists(a, a2)).toBe(1);
});
