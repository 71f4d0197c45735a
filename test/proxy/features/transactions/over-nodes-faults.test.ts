/** Transactions whose keys are on several nodes: what fails, what is watched, and what comes in between. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { add, post, ringOf, settled, until } from '../../../support/ring-api.js';
import { exec, startTwoNodes, type TwoNodes } from './two-nodes.js';

let shared: TwoNodes;
beforeAll(async () => {
  shared = await startTwoNodes(150);
});

/** Two keys of each node that nobody else has used. */
let used = 0;
function fresh(): { a: string; a2: string; b: string; b2: string } {
  const [a = '', a2 = ''] = shared.a.slice(used, used + 2);
  const [b = '', b2 = ''] = shared.b.slice(used, used + 2);
  used += 2;
  return { a, a2, b, b2 };
}

describe('a node that fails', () => {
  it.each([
    ['is lost before it has run its part', false],
    ['is lost when it has run its part', true],
  ])('%s: its commands are answered so, and the others stand', async (_title, ran) => {
    const { relay, client, nodes } = shared;
    const { a, a2, b } = fresh();
    const lost = ran ? relay.cutAfter('EXEC') : relay.cutBefore('EXEC');
    const reply = await exec(client, ['SET', b, '1'], ['SET', a, '1'], ['MSET', a2, '1', b, '2']);
    await lost;
    expect(reply).toMatch(
      /^\*3\r\n-NODEDOWN node node2 [^\r]*unknown\r\n\+OK\r\n-NODEDOWN node node2 [^\r]*unknown\r\n$/,
    );
    expect(await nodes[0].client().mget(a, a2)).toEqual(['1', '1']);
    expect(await nodes[1].client().get(b)).toBe(ran ? '2' : null);
    await expect.poll(() => client.text('GET', b)).toBe(ran ? '$1\r\n2\r\n' : '$-1\r\n');
  });

  it('is out of memory: its part is not carried out, and EXEC says so; alone it voids all of it', async () => {
    const { client, nodes } = shared;
    const { a, b, b2 } = fresh();
    await nodes[1].client().config('SET', 'maxmemory', '1');
    const reply = await exec(client, ['SET', a, '1'], ['SET', b, '1'], ['GET', b2]);
    const full = "OOM command not allowed when used memory > 'maxmemory'.";
    const discarded = `-EXECABORT The part of node node2 was not carried out, others were: ${full}\r\n`;
    expect(reply).toBe(`*3\r\n+OK\r\n${discarded}${discarded}`);
    await nodes[0].client().config('SET', 'maxmemory', '1');
    expect(await exec(client, ['SET', a, '2'], ['SET', b, '2'])).toBe(
      `-EXECABORT Transaction discarded because of: ${full} (node node1)\r\n`,
    );
    for (const node of nodes) await node.client().config('SET', 'maxmemory', '0');
    expect(await client.text('MGET', a, b)).toBe('*2\r\n$1\r\n1\r\n$-1\r\n');
  });

  it('is down: nothing is sent to anyone', async () => {
    const { client, nodes, proxy, a, b } = await startTwoNodes(150);
    await client.text('SET', b[0] as string, '1');
    await nodes[1].stop();
    await expect.poll(() => client.text('GET', b[0] as string)).toMatch(/^-NODEDOWN node node2/);
    await until(proxy, ({ nodes: [, second] }) => second?.state === 'down');
    expect(await exec(client, ['SET', a[0] as string, '1'], ['SET', b[0] as string, '2'])).toMatch(
      /^-NODEDOWN node node2/,
    );
    expect(await nodes[0].client().exists(a[0] as string)).toBe(0);
    expect(await client.text('EXEC')).toBe('-ERR EXEC without MULTI\r\n');
  });
});

describe('watched keys', () => {
  it.each([
    ['first', 'a'],
    ['second', 'b'],
  ] as const)('of both nodes: a change at the %s voids all of it', async (_title, changed) => {
    const { client, other } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.command('WATCH', a, b);
    await other.command('SET', changed === 'a' ? a : b, 'other');
    expect(await exec(client, ['SET', a2, '1'], ['SET', b2, '1'])).toBe('*-1\r\n');
    expect(await client.text('EXISTS', a2, b2)).toBe(':0\r\n');
    // It is over with them.
    expect(await exec(client, ['SET', a2, '1'], ['SET', b2, '1'])).toBe('*2\r\n+OK\r\n+OK\r\n');
  });

  it.each([
    ['nothing was changed', false],
    ['it was changed', true],
  ])('of one node guard the other one’s part: %s', async (_title, isChanged) => {
    const { client, other } = shared;
    const { a, b, b2 } = fresh();
    await client.command('WATCH', a);
    if (isChanged) await other.command('SET', a, 'other');
    expect(await exec(client, ['SET', b, '1'], ['SET', b2, '1'])).toBe(isChanged ? '*-1\r\n' : '*2\r\n+OK\r\n+OK\r\n');
    expect(await client.text('EXISTS', b, b2)).toBe(isChanged ? ':0\r\n' : ':2\r\n');
  });

  it('of one node are looked at by the node itself, in front of all other parts', async () => {
    const { client, relay, nodes } = shared;
    const { a, b, b2 } = fresh();
    await client.command('WATCH', b);
    const kept = relay.hold('MULTI');
    const reply = exec(client, ['SET', a, '1'], ['SET', b2, '1']);
    await kept.reached;
    await nodes[1].client().set(b, 'other');
    await kept.deliver();
    expect(await reply).toBe('*-1\r\n');
    expect(await client.text('EXISTS', a, b2)).toBe(':0\r\n');
  });

  it('of both nodes: a change while both are asked voids all of it', async () => {
    const { client, relay, nodes } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.command('WATCH', a, b);
    const kept = relay.hold((words) => words[0] === 'CLIENT' && words[1] === 'INFO');
    const reply = exec(client, ['SET', a2, '1'], ['SET', b2, '1']);
    await kept.reached;
    await nodes[1].client().set(b, 'other');
    await kept.deliver();
    expect(await reply).toBe('*-1\r\n');
    expect(await client.text('EXISTS', a2, b2)).toBe(':0\r\n');
  });

  it('of both nodes: of a change behind that EXEC says which part it has voided', async () => {
    const { client, relay, nodes } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.command('WATCH', a, b);
    const kept = relay.hold('MULTI');
    const reply = exec(client, ['SET', a2, '1'], ['SET', b2, '1']);
    await kept.reached;
    await nodes[1].client().set(b, 'other');
    await kept.deliver();
    expect(await reply).toBe(
      '*2\r\n+OK\r\n-EXECABORT The part of node node2 was not carried out, others were: ' +
        'a watched key of node node2 was changed\r\n',
    );
    expect(await client.text('EXISTS', a2, b2)).toBe(':1\r\n');
  });

  it('of both nodes: a change behind that voids all of it at the node that decides', async () => {
    const { client, relay, nodes } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.command('WATCH', a, b);
    const kept = relay.hold((words) => words[0] === 'CLIENT' && words[1] === 'INFO');
    await nodes[0].client().config('RESETSTAT');
    const reply = exec(client, ['SET', b2, '1'], ['SET', a2, '1']);
    await kept.reached;
    const [node] = nodes;
    await expect.poll(() => node.client().info('commandstats')).toContain('cmdstat_client|info:calls=1,');
    await node.client().set(a, 'other');
    await kept.deliver();
    expect(await reply).toBe('*-1\r\n');
    expect(await client.text('EXISTS', a2, b2)).toBe(':0\r\n');
  });

  it('of both nodes, counted up by many clients at once, are all counted or none', async () => {
    const { proxy } = shared;
    const { a, b } = fresh();
    let counted = 0;
    const count = async (): Promise<void> => {
      const own = await RawClient.connect(proxy.port);
      for (let i = 0; i < 40; i++) {
        await own.command('WATCH', a, b);
        const reply = await exec(own, ['INCR', a], ['INCR', b]);
        if (reply === '*-1\r\n') continue;
        expect(reply).toMatch(/^\*2\r\n:\d+\r\n:\d+\r\n$/);
        counted++;
      }
    };
    await Promise.all(Array.from({ length: 6 }, count));
    const value = `$${String(counted).length}\r\n${counted}\r\n`;
    expect(await shared.client.text('MGET', a, b)).toBe(`*2\r\n${value}${value}`);
  });

  it('and no commands: EXEC says whether they were changed', async () => {
    const { client, other } = shared;
    const { a, b } = fresh();
    await client.command('WATCH', a, b);
    expect(await exec(client)).toBe('*0\r\n');
    await client.command('WATCH', a);
    await client.command('WATCH', b);
    await other.command('SET', b, 'other');
    expect(await exec(client)).toBe('*-1\r\n');
  });

  it('of a node that is lost: the transaction is void, and nothing has run', async () => {
    const { client, relay } = shared;
    const { a, a2, b, b2 } = fresh();
    await client.command('WATCH', a, b);
    const cut = relay.cutBefore((words) => words[0] === 'CLIENT' && words[1] === 'INFO');
    expect(await exec(client, ['SET', a2, '1'], ['SET', b2, '1'])).toMatch(/^(\*-1|-NODEDOWN node node2 .*)\r\n$/);
    await cut;
    await expect.poll(() => client.text('EXISTS', a2, b2)).toBe(':0\r\n');
  });
});

describe('what comes in between', () => {
  it('a client that leaves: what was begun goes on to its end', async () => {
    const { proxy, relay, other } = shared;
    const { a, b, b2 } = fresh();
    const client = await RawClient.connect(proxy.port);
    await client.command('WATCH', b);
    const kept = relay.hold('MULTI');
    const left = exec(client, ['SET', a, '1'], ['SET', b2, '1']).catch(() => 'left');
    await kept.reached;
    client.close();
    expect(await left).toBe('left');
    await kept.deliver();
    await expect.poll(() => other.text('MGET', a, b2)).toBe('*2\r\n$1\r\n1\r\n$1\r\n1\r\n');
  });

  it('a change of the ring, which waits until it has ended', { timeout: 60_000 }, async () => {
    const { proxy, relay, client, a, b } = await startTwoNodes(150);
    const [third] = await startRedises(1);
    await client.command('WATCH', a[0] as string, b[0] as string);
    // No key is in flight while nodes are asked.
    const kept = relay.hold((words) => words[0] === 'CLIENT' && words[1] === 'INFO');
    const commands = [...a, ...b].map((key) => ['SET', key, 'x']);
    const reply = exec(client, ...commands);
    await kept.reached;
    const changed = post(proxy, 'changes', add('node3', third));
    await until(proxy, ({ phase }) => phase === 'preparing');
    for (let i = 0; i < 5; i++) expect((await ringOf(proxy)).phase).toBe('preparing');
    await kept.deliver();
    await changed;
    expect(await reply).toBe(`*${commands.length}\r\n${'+OK\r\n'.repeat(commands.length)}`);
    await settled(proxy);
    expect(await client.text('EXISTS', ...a, ...b)).toBe(`:${commands.length}\r\n`);
  });
});

it('they are counted', async () => {
  const { proxy, client } = shared;
  const { a, b } = fresh();
  await exec(client, ['SET', a, '1'], ['SET', b, '1']);
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  expect(metrics).toMatch(/^ringproxy_cross_node_commands_total\{command="exec",way="transaction"\} [1-9]/m);
});
