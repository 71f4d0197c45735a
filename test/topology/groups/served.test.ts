/** Groups of keys that change while real proxies serve real clients. */
import { describe, expect, it } from 'vitest';
import type { ApiError, GroupsView } from '../../../src/admin/api.js';
import { hasEtcd } from '../../support/etcd-process.js';
import { startFleet, TROUBLE } from '../../support/fleet.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedises } from '../../support/redis-process.js';
import type { AdminApi } from '../../support/ring-api.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';
import { tempFolder } from '../../support/temp-folder.js';

const WINS = /the groups of keys that are recorded win over the configuration/;

interface Answer {
  readonly status: number;
  readonly body: GroupsView & Partial<ApiError>;
}

async function ask(proxy: Pick<AdminApi, 'admin'>, method: string, path = '', body?: object): Promise<Answer> {
  const answer = await fetch(`${proxy.admin}/v1/groups${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

const view = async (proxy: Pick<AdminApi, 'admin'>, query = ''): Promise<GroupsView> =>
  (await ask(proxy, 'GET', query)).body;
const namesIn = ({ groups }: GroupsView): string[] => groups.map(({ group }) => group);

/** What was counted, by group. */
function countsIn({ groups, other }: GroupsView): Record<string, number[]> {
  const rows = [...groups, ...(other === null ? [] : [{ ...other, group: 'other' }])];
  return Object.fromEntries(rows.map(({ group, commands, hits, misses }) => [group, [commands, hits, misses]]));
}

describe.each([1, 2])('groups of keys, changed while %i worker(s) serve', (workers) => {
  it('are those of all workers at once, also of one that starts later, and are kept over a restart', async () => {
    const nodes = await startRedises(1);
    const stateDir = tempFolder('state');
    const args = ['--workers', String(workers), '--state-dir', stateDir];
    const config = 'key-groups: { pages: "page:" }';
    const allowLog = [/ended with SIGKILL/, WINS];
    const proxy = await startRingproxy({ nodes, args, config, allowLog });
    const clients = await Promise.all(Array.from({ length: workers }, () => RawClient.connect(proxy.port)));
    const everywhere = async (key: string): Promise<void> => {
      for (const client of clients) await client.command('GET', key);
    };
    await everywhere('page:1');
    await everywhere('flag:1');
    expect(await view(proxy)).toMatchObject({ source: 'configuration', revision: 0, changed: null });
    expect(countsIn(await view(proxy))).toEqual({ pages: [workers, 0, workers], other: [workers, 0, workers] });

    const made = await ask(proxy, 'PUT', '/flags', { prefixes: ['flag:'], 'max-ttl': '1h' });
    expect(made.body.groups[1]).toMatchObject({ group: 'flags', policy: { cache: 'sharded', 'max-ttl': '1h' } });
    expect(made.body).toMatchObject({ source: 'ring', changed: { by: proxy.id } });
    await proxy.logged(/groups of keys, as asked for at proxy .*: flags is new: sharded, max-ttl 1h \(flag:\)/);
    await everywhere('flag:1');
    await everywhere('page:1');
    expect(countsIn(await view(proxy))).toEqual({
      pages: [2 * workers, 0, 2 * workers],
      flags: [workers, 0, workers],
      other: [workers, 0, workers],
    });
    const series = await scrape(proxy.admin);
    expect(series.get('ringproxy_key_group_cache_requests_total{group="flags",result="miss"}')).toBe(workers);

    if (workers > 1) {
      const { workers: before } = (await (await fetch(`${proxy.admin}/v1/stats`)).json()) as {
        workers: { pid: number }[];
      };
      for (const { pid } of before) process.kill(pid, 'SIGKILL');
      for (let i = 0; i < workers; i++) clients[i]?.close();
      // Those that take their place know the groups as they are.
      const read = async (): Promise<string> => (await RawClient.connect(proxy.port)).text('GET', 'flag:1');
      await expect.poll(() => read().catch(() => '')).toBe('$-1\r\n');
      await expect.poll(async () => countsIn(await view(proxy)).flags?.[0]).toBeGreaterThan(0);
    }
    await proxy.stop();
    const again = await startRingproxy({ nodes, args, config, allowLog });
    expect(namesIn(await view(again))).toEqual(['pages', 'flags']);
    await again.logged(WINS);
    const client = await RawClient.connect(again.port);
    await client.command('GET', 'flag:1');
    expect(countsIn(await view(again)).flags).toEqual([1, 0, 1]);
    expect(namesIn((await ask(again, 'DELETE')).body)).toEqual(['pages']);
    expect(await view(again)).toMatchObject({ source: 'configuration', changed: { by: again.id } });
  });

  it('count every command once while they change under load', async () => {
    const nodes = await startRedises(2);
    const config = 'key-groups: { pages: "page:", all: "p" }';
    const proxy = await startRingproxy({ nodes, args: ['--workers', String(workers)], config });
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(proxy.port)));
    let done = false;
    let sent = 0;
    const load = clients.map(async (client) => {
      while (!done) {
        await client.pipeline(
          Array.from({ length: 50 }, (_, i) => (i % 10 === 0 ? ['MGET', 'page:1', 'x'] : ['GET', `page:${i}`])),
        );
        sent += 50;
      }
    });
    for (let i = 0; i < 20; i++) {
      const pages = { prefixes: ['page:'], ...(i % 2 === 0 ? { 'max-ttl': '1h' } : {}) };
      const groups = i % 3 === 0 ? { all: 'p' } : { all: 'p', pages, more: 'page:1' };
      expect((await ask(proxy, 'PUT', '', groups)).status).toBe(200);
    }
    done = true;
    await Promise.all(load);
    await ask(proxy, 'PUT', '', { all: 'p', pages: 'page:', more: 'page:1' });
    const counts = Object.values(countsIn(await view(proxy)));
    expect(counts.reduce((sum, [commands = 0]) => sum + commands, 0)).toBe(sent);
    // Each tenth one reads two keys.
    const reads = counts.reduce((sum, [, hits = 0, misses = 0]) => sum + hits + misses, 0);
    expect(reads).toBe(sent + sent / 10);
  });
});

describe('groups of keys at the admin API', () => {
  it('are refused with everything that is wrong, and nothing has changed', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1), config: 'key-groups: { pages: "page:" }' });
    const wrong = await ask(proxy, 'PUT', '/pages', { prefixes: ['page:'], cache: 'far', 'max-tll': '1s' });
    expect([wrong.status, wrong.body.error?.code]).toEqual([400, 'BAD_GROUPS']);
    expect(wrong.body.error?.message).toMatch(/cache is 'far'[\s\S]*'max-tll'/);
    expect((await ask(proxy, 'PATCH', '/page', { cache: 'near' })).body.error?.code).toBe('UNKNOWN_GROUP');
    expect((await ask(proxy, 'DELETE', '/page')).status).toBe(404);
    expect((await ask(proxy, 'PUT', '', [])).body.error?.code).toBe('BAD_REQUEST');
    expect((await ask(proxy, 'PUT', '?revision=9', {})).body.error?.code).toBe('GROUPS_CHANGED');
    expect(await view(proxy)).toMatchObject({ source: 'configuration', groups: [{ policy: { cache: 'sharded' } }] });
    const plain = await ask(proxy, 'PATCH', '/pages', { cache: null, prefixes: ['page:', 'p:'] });
    expect(plain.body.groups[0]).toMatchObject({ prefixes: ['page:', 'p:'], policy: { cache: 'sharded' } });
  });

  it('become replicated, and sharded again, where that hides no key; where it does it is said where they are', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes, config: 'key-groups: { pages: "page:", some: "page:x:" }' });
    const client = await RawClient.connect(proxy.port);
    const set = (cache: string, query = ''): Promise<Answer> => ask(proxy, 'PATCH', `/pages${query}`, { cache });
    const place = ({ body }: Answer): unknown => body.error?.message.replace(/^.*any more: /, '');

    // Keys of a longer prefix stay where they are.
    await client.command('MSET', 'page:x:1', 'v', 'page', 'v', 'other', 'v');
    expect((await set('replicated')).body.groups[0]?.policy).toEqual({ cache: 'replicated' });
    await client.command('MSET', 'page:1', 'v', 'page:2', 'v');
    const kept = await set('sharded');
    expect([kept.status, kept.body.error?.code, place(kept)]).toEqual([
      409,
      'HIDES_KEYS',
      "2 of 'page:…' in the proxies",
    ]);
    await client.command('DEL', 'page:1', 'page:2');
    expect((await set('sharded')).status).toBe(200);

    // Of every database, and of both nodes.
    const keys = Array.from({ length: 60 }, (_, i) => `page:${i}`);
    for (const key of keys) await client.command('SET', key, 'v');
    await client.command('SELECT', '5');
    await client.command('SET', 'page:1', 'v');
    const hiding = await set('replicated');
    expect([hiding.status, hiding.body.error?.code]).toEqual([409, 'HIDES_KEYS']);
    const counts = [...String(place(hiding)).matchAll(/(\d+) of 'page:…' on \S+ \((127\.0\.0\.1:\d+)\)/g)];
    expect(counts.map(([, , address]) => address).sort()).toEqual(nodes.map(({ port }) => `127.0.0.1:${port}`).sort());
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(61);
    await client.command('FLUSHALL');

    // Who cannot be asked may have some.
    proxy.allowLog(/upstream:(down|impaired)/, /node:health/);
    await nodes[1]?.stop();
    const unknown = await set('replicated');
    expect(unknown.body.error?.message).toMatch(
      /not known whether .*on \S+ \(\S+\) 'page:…' could not be looked for: /,
    );
    expect((await set('replicated', '?force=true')).body.groups[0]?.policy).toEqual({ cache: 'replicated' });
  });
});

describe.skipIf(!hasEtcd)('groups of keys of a fleet', () => {
  it('are set at one proxy and followed by all, by one that joins, and by one that starts without etcd', async () => {
    const fleet = await startFleet({
      ...{ proxies: 2, nodes: 1, workers: 2, consistency: 'available' },
      config: 'key-groups: { pages: "page:" }\nmember-ttl: 2s\n',
      allowLog: [...TROUBLE, WINS],
    });
    const [one, other] = fleet.proxies;
    if (one === undefined || other === undefined) throw new Error('two proxies were asked for');
    const set = await ask(one, 'PATCH', '/pages', { 'max-ttl': '1h' });
    expect(set.status).toBe(200);
    await expect.poll(async () => (await view(other)).groups[0]?.policy).toEqual(set.body.groups[0]?.policy);
    expect((await view(other)).changed).toEqual(set.body.changed);

    // Both at once: each has seen what the other one did.
    const both = await Promise.all([
      ask(one, 'PUT', '/flags', { prefixes: ['flag:'] }),
      ask(other, 'PUT', '/thumbs', { prefixes: ['thumb:'] }),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    for (const proxy of [one, other]) {
      await expect.poll(async () => namesIn(await view(proxy)).sort()).toEqual(['flags', 'pages', 'thumbs']);
      // By all of its workers.
      const clients = await Promise.all([1, 2].map(() => RawClient.connect(proxy.port)));
      for (const client of clients) await client.command('GET', 'flag:1');
      expect(countsIn(await view(proxy, '?fleet=false')).flags).toEqual([2, 0, 2]);
    }
    // Each says what all have counted.
    for (const proxy of [one, other]) {
      const all = await view(proxy);
      expect([all.missing, countsIn(all).flags]).toEqual([[], [4, 0, 4]]);
    }

    const joined = await fleet.prepare();
    await joined.start();
    expect(namesIn(await view(joined)).sort()).toEqual(['flags', 'pages', 'thumbs']);

    await other.kill();
    await fleet.etcd.members[0]?.kill();
    await other.start();
    expect(namesIn(await view(other)).sort()).toEqual(['flags', 'pages', 'thumbs']);
    await fleet.etcd.members[0]?.restart();
    await expect.poll(async () => (await ask(one, 'DELETE', '/flags')).status).toBe(200);
    await expect.poll(async () => namesIn(await view(other)).sort()).toEqual(['pages', 'thumbs']);
  });
});
