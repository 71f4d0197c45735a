/** `key-groups` in a real proxy: the figures are exactly what the test sent, however many processes counted them. */
import { describe, expect, it } from 'vitest';
import type { KeyGroupStats, StatsView } from '../../../src/admin/api.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedises } from '../../support/redis-process.js';
import { add, fill, post, settled, until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';

const CONFIG = `
key-groups:
  sessions: "s:"
  admins: "s:admin:"
  pages: ["page:", "html:"]
`;

type Counts = Pick<KeyGroupStats, 'commands' | 'errors' | 'hits' | 'misses'>;

const NOTHING: Counts = { commands: 0, errors: 0, hits: 0, misses: 0 };

async function groupsOf(proxy: RingproxyProcess): Promise<Record<string, Counts>> {
  const stats = (await (await fetch(`${proxy.admin}/v1/stats`)).json()) as StatsView;
  return Object.fromEntries(
    stats.keyGroups.map(({ group, commands, errors, hits, misses }) => [group, { commands, errors, hits, misses }]),
  );
}

describe.each([1, 2])('groups of keys with %i worker(s)', (workers) => {
  it('count every kind of command once, and every key that is read', async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({
      nodes,
      config: CONFIG,
      args: ['--workers', String(workers), '--cross-node', 'refuse'],
    });
    const clients = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    for (const [index, client] of clients.entries()) {
      const own = (key: string): string => `${key}${index}`;
      await client.pipeline([
        ['SET', own('s:'), 'x'],
        ['GET', own('s:')],
        ['GET', own('s:none')],
        ['SET', own('s:admin:'), 'x'],
        ['GETEX', own('s:admin:')],
        ['SET', own('page:'), 'x'],
        ['SET', own('html:'), 'x'],
        // On all nodes; with a name that is looked at without regard to case, and a subcommand.
        ['mget', own('page:'), own('html:'), own('s:'), 'none', own('page:none'), own('s:none')],
        ['OBJECT', 'ENCODING', own('page:')],
        // Of one node.
        ['MGET', `page:{${index}}a`, `page:{${index}}b`],
        ['MGET', own('html:')],
        ['EVAL', 'return redis.call("get", KEYS[1])', '1', own('page:')],
        ['DEL', own('page:none'), own('s:none')],
        ['LPUSH', own('s:'), 'x'],
        ['SINTERSTORE', own('a'), own('b'), own('c'), own('d'), own('e'), own('f')],
        ['GET'],
        ['GET', own('pag'), own('pag')],
        ['GET', own('pag')],
        ['PING'],
        ['DBSIZE'],
        ['NOSUCH', 's:x'],
        ['GET', '__ringproxy__x'],
      ]);
      // A transaction's commands count as they are queued, as in ringproxy_commands_total; EXEC has no key.
      await client.pipeline([['MULTI'], ['SET', own('s:'), 'y'], ['GET', own('s:')], ['EXEC']]);
    }
    const expected = {
      // SET, 2 GET, LPUSH (an error), 2 queued
      sessions: { commands: 6, errors: 1, hits: 2, misses: 2 },
      admins: { commands: 2, errors: 0, hits: 1, misses: 0 },
      // 2 SET, 3 MGET, OBJECT, EVAL, DEL
      pages: { commands: 8, errors: 0, hits: 3, misses: 3 },
      // SINTERSTORE (CROSSSLOT), GET with too many arguments, GET, GET of a reserved key
      other: { commands: 4, errors: 3, hits: 0, misses: 2 },
    };
    const twice = Object.fromEntries(
      Object.entries(expected).map(([group, counts]) => [
        group,
        Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count * clients.length])),
      ]),
    );
    expect(await groupsOf(proxy)).toEqual(twice);
    const metrics = await scrape(proxy.admin);
    for (const [group, counts] of Object.entries(twice)) {
      const { commands = 0, errors = 0, hits, misses } = counts;
      expect(metrics.get(`ringproxy_key_group_commands_total{group="${group}",outcome="ok"}`)).toBe(commands - errors);
      expect(metrics.get(`ringproxy_key_group_commands_total{group="${group}",outcome="error"}`)).toBe(errors);
      expect(metrics.get(`ringproxy_key_group_duration_seconds_count{group="${group}"}`)).toBe(commands);
      expect(metrics.get(`ringproxy_key_group_cache_requests_total{group="${group}",result="hit"}`)).toBe(hits);
      expect(metrics.get(`ringproxy_key_group_cache_requests_total{group="${group}",result="miss"}`)).toBe(misses);
    }
    // The sum of the groups is what is counted without them.
    const sum = (name: 'hits' | 'misses'): number =>
      Object.values(twice).reduce((total, counts) => total + (counts[name] ?? 0), 0);
    expect(metrics.get('ringproxy_cache_requests_total{result="hit"}')).toBe(sum('hits'));
    expect(metrics.get('ringproxy_cache_requests_total{result="miss"}')).toBe(sum('misses'));
  });
});

describe('groups of keys', () => {
  it('count large values that are streamed, nodes that are down, and commands that wait', async () => {
    const nodes = await startRedises(1);
    const proxy = await startRingproxy({
      nodes,
      config: CONFIG,
      args: [],
      allowLog: [/node1/],
    });
    const client = await RawClient.connect(proxy.port);
    const large = 'x'.repeat(2_000_000);
    await client.command('SET', 'page:large', large);
    await client.command('GET', 'page:large');
    const waits = client.command('BLPOP', 's:list', '0');
    const other = await RawClient.connect(proxy.port);
    await other.command('LPUSH', 's:list', 'x');
    await waits;
    expect(await groupsOf(proxy)).toEqual({
      sessions: { ...NOTHING, commands: 2 },
      admins: NOTHING,
      pages: { ...NOTHING, commands: 2, hits: 1 },
      other: NOTHING,
    });
    await nodes[0]?.stop();
    await until(proxy, (view) => view.nodes[0]?.state === 'down');
    expect(await client.text('GET', 's:1')).toMatch(/^-NODEDOWN/);
    // Nothing of the group that was dispatched last sticks to what has no key.
    client.send('*1\r\n$-5\r\n');
    await client.closed;
    const down = await groupsOf(proxy);
    expect(down).toMatchObject({ sessions: { commands: 3, errors: 1, misses: 0 }, pages: { commands: 2 } });
  });

  it('count a read once that is asked of two nodes while its key moves', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), config: 'key-groups: {all: "filler:"}' });
    await fill(proxy, 5000);
    const before = (await groupsOf(proxy)).all ?? NOTHING;
    const [, joining] = nodes;
    if (joining === undefined) throw new Error('two servers were asked for');
    await post(proxy, 'changes', add('node2', joining));
    await post(proxy, 'changes/current/pause');
    const client = await RawClient.connect(proxy.port);
    const keys = Array.from({ length: 100 }, (_, index) => index);
    await client.pipeline(
      keys.flatMap((i) => [
        ['GET', `filler:${i}`],
        ['GET', `filler:none:${i}`],
      ]),
    );
    await client.pipeline([['MGET', ...keys.map((i) => `filler:${i}`), 'filler:none:0']]);
    const { all } = await groupsOf(proxy);
    expect(all).toEqual({ commands: before.commands + 201, errors: 0, hits: 200, misses: 101 });
    await post(proxy, 'changes/current/resume');
    await settled(proxy);
  });

  it('are not there where none are configured', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    await proxy.client().get('x');
    expect(await groupsOf(proxy)).toEqual({});
    expect([...(await scrape(proxy.admin)).keys()].filter((name) => name.startsWith('ringproxy_key_group'))).toEqual(
      [],
    );
  });
});
