/** The hottest keys of real proxies: every kind of client and command, several workers, a fleet with a dead member. */
import { describe, expect, it } from 'vitest';
import type { AdviceView, GroupsView, HotView, WhichView } from '../../../src/admin/api.js';
import { hasEtcd } from '../../support/etcd-process.js';
import { startFleet, TROUBLE } from '../../support/fleet.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedises } from '../../support/redis-process.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';

async function hotOf({ admin }: { readonly admin: string }, query = ''): Promise<HotView> {
  return (await (await fetch(`${admin}/v1/hot${query}`)).json()) as HotView;
}

const CONFIG = 'key-groups: { pages: "page:" }\npassword: secret\n';

describe.each([1, 2])('with %i worker(s)', (workers) => {
  it('they are told with node, group, database, rate and share', async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes, config: CONFIG, args: ['--workers', String(workers)] });
    expect(await hotOf(proxy)).toEqual({ keys: [], sampled: 0, perSecond: 0, missing: [] });
    const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(proxy.port)));
    // Who has not said the password is not counted.
    await clients[0]?.pipeline(Array.from({ length: 300 }, () => ['GET', 'stranger']));
    for (const client of clients) {
      await client.pipeline([
        ['AUTH', 'secret'],
        ...Array.from({ length: 40 }, () => ['GET', 'page:hot']),
        ...Array.from({ length: 20 }, (_, index) => ['MGET', 'page:hot', `cold:${index}`, 'warm']),
        ['SELECT', '3'],
        ...Array.from({ length: 20 }, () => ['SET', Buffer.from([255, 0, 10]), 'x']),
        ['MULTI'],
        ...Array.from({ length: 10 }, () => ['INCR', 'count']),
        ['EXEC'],
      ]);
    }
    const view = await hotOf(proxy);
    const [which] = (await (await fetch(`${proxy.admin}/v1/ring/which?key=page:hot`)).json()) as [WhichView];
    const [hottest, ...others] = view.keys.slice(0, 4);
    const page = {
      key: 'page:hot',
      bytes: 8,
      database: 0,
      group: 'pages',
      node: which.node,
      reads: 1,
      near: false,
      cache: 'sharded',
    };
    expect(hottest).toMatchObject(page);
    // Two of them are used as often: which one is first is up to the samples.
    expect(others).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: 'warm', database: 0, group: 'other' }),
        expect.objectContaining({ key: '\\xff\\x00\\x0a', bytes: 3, database: 3, reads: 0 }),
        expect.objectContaining({ key: 'count', database: 3, reads: 0 }),
      ]),
    );
    const uses = 4 * (40 + 60 + 20 + 10);
    expect(view.keys[0]?.share).toBeCloseTo(240 / uses, 1);
    expect(view.sampled / uses).toBeGreaterThan(0.5);
    expect(view.keys.map(({ key }) => key)).not.toContain('stranger');
    expect((await hotOf(proxy, '?limit=1')).keys).toHaveLength(1);
    const figures = await scrape(proxy.admin);
    expect(figures.get('ringproxy_hot_keys_share{top="1"}')).toBeCloseTo(240 / uses, 1);
    expect(figures.get('ringproxy_hot_keys_share{top="20"}')).toBeGreaterThan(0.9);
    expect(await fetch(`${proxy.admin}/v1/hot?fleet=perhaps`)).toMatchObject({ status: 400 });
  });
});

it('a key of a replicated group is on no node', async () => {
  const config = 'key-groups: { flags: { prefixes: "flag:", cache: replicated } }\n';
  const proxy = await startRingproxy({ nodes: await startRedises(2), config });
  const client = await RawClient.connect(proxy.port);
  await client.pipeline(Array.from({ length: 300 }, () => ['GET', 'flag:dark']));
  expect((await hotOf(proxy)).keys).toMatchObject([{ key: 'flag:dark', group: 'flags', node: null }]);
});

describe.skipIf(!hasEtcd)('a fleet', () => {
  it('is told as one by each of its proxies; one that does not answer is named', async () => {
    const fleet = await startFleet({ nodes: 2, proxies: 3, config: 'member-ttl: 10m\n', allowLog: TROUBLE });
    for (const { process } of fleet.proxies) {
      const client = await RawClient.connect(process.port);
      await client.pipeline(Array.from({ length: 100 }, () => ['GET', 'everywhere']));
      await client.pipeline(Array.from({ length: 50 }, () => ['GET', `only ${process.child.pid}`]));
    }
    const [asked, , last] = fleet.proxies;
    if (asked === undefined || last === undefined) throw new Error('there are three');
    await expect.poll(async () => (await hotOf(asked)).keys.length).toBe(4);
    const all = await hotOf(asked);
    const own = await hotOf(asked, '?fleet=false');
    expect(all.missing).toEqual([]);
    expect(all.keys[0]).toMatchObject({ key: 'everywhere' });
    expect(all.keys[0]?.share).toBeCloseTo(2 / 3, 1);
    expect(own.keys.map(({ key }) => key)).toEqual(['everywhere', `only ${asked.process.child.pid}`]);
    const silent = await last.id();
    last.process.child.signal('SIGKILL');
    await last.process.child.exited;
    const without = await hotOf(asked);
    expect(without.missing).toEqual([{ proxy: silent, why: expect.stringContaining(silent) }]);
    // So it is by whatever else all of them are asked for.
    expect(((await (await fetch(`${asked.admin}/v1/groups`)).json()) as GroupsView).missing).toEqual(without.missing);
    expect(without.keys).toHaveLength(3);
    for (const { process } of fleet.proxies.slice(0, 2)) {
      const client = await RawClient.connect(process.port);
      const reads = Array.from({ length: 40 }, (_, i) => ['SUNION', `user:${i}:likes`, `user:${i}:follows`]);
      await client.pipeline(reads);
      await client.command('EVAL', 'return 1', '3', 'bull:1:a', 'bull:1:b', 'bull:1:c');
    }
    const advice = async (query = ''): Promise<AdviceView> =>
      (await (await fetch(`${asked.admin}/v1/advice${query}`)).json()) as AdviceView;
    const [ofAll, ofOne] = [await advice(), await advice('?fleet=false')];
    expect(ofOne.commands).toBeGreaterThan(0);
    expect(ofAll).toMatchObject({ commands: 2 * ofOne.commands, refused: 2 * ofOne.refused, missing: without.missing });
    expect(ofAll.hashTags).toContain('user:{*}:');
  });
});
