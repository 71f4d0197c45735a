/** What each proxy of a real fleet shows of it, and tells when something happens to the others. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProxyView } from '../../src/admin/api.js';
import { hasEtcd } from '../support/etcd-process.js';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { add, fill, post } from '../support/ring-api.js';
import { scrape } from '../support/series.js';

interface Told {
  readonly event?: string;
  readonly proxy?: string | null;
  readonly job?: string;
  readonly summary?: string;
}

/** What a proxy has logged of these channels, from its start on. */
function toldBy(proxy: FleetProxy, channel: string): Told[] {
  return proxy.process.child.stderr
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Told)
    .filter(({ event }) => event === `ringproxy:${channel}`);
}

async function proxiesOf(proxy: FleetProxy): Promise<ProxyView[]> {
  return (await proxy.view()).proxies;
}

describe.skipIf(!hasEtcd)('a fleet', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await startFleet({
      spares: 1,
      config: 'member-ttl: 3s\nlog-level: debug\nprobe-interval: 200ms\n',
      allowLog: [...TROUBLE, /log-level/],
    });
  });

  it('is shown alike by each of its proxies: who coordinates, and the load of all', async () => {
    const [first] = fleet.proxies;
    if (first === undefined) throw new Error('there are three');
    const clients = [first.process.client(), first.process.client()];
    await Promise.all(clients.map((client) => client.ping()));
    const id = await first.id();
    for (const proxy of fleet.proxies) {
      // What another one tells of itself comes by and by.
      await expect
        .poll(async () => (await proxiesOf(proxy)).find((view) => view.id === id)?.load?.clients, { timeout: 20_000 })
        .toBe(2);
      const views = await proxiesOf(proxy);
      expect(views.map((view) => view.id)[0]).toBe(await proxy.id());
      expect(views.filter(({ coordinator }) => coordinator)).toHaveLength(1);
      expect(views.map(({ admin }) => admin).sort()).toEqual(fleet.proxies.map(({ admin }) => admin).sort());
      const client = proxy.process.client();
      const info = await client.info('ringproxy');
      // It would count for those that look behind this one.
      client.disconnect();
      expect(info).toContain('ringproxy_members_alive:3');
      expect(info).toContain(`ringproxy_coordinator:${views.find(({ coordinator }) => coordinator)?.id}`);
    }
    const coordinators = await Promise.all(
      fleet.proxies.map(async ({ admin }) => (await scrape(admin)).get('ringproxy_fleet_coordinator')),
    );
    expect(coordinators.sort()).toEqual([0, 0, 1]);
  });

  // Whoever was not asked said nothing of it: what is noted with a change was not looked at.
  it('is told of a change by each of its proxies, whichever was asked, and paused by another one', async () => {
    const coordinator = await fleet.coordinator();
    const [asked, other] = fleet.proxies.filter((proxy) => proxy !== coordinator) as [FleetProxy, FleetProxy];
    await fill(asked.process, 5000);
    await post(asked.process, 'changes', { ...add('spare', fleet.spares[0]), throttle: 1000 });
    await fleet.everyone('keys move', ({ change }) => (change?.keysMoved ?? 0) > 0);
    const sources = (await other.view()).change?.sources ?? [];
    const ids = await Promise.all(fleet.proxies.map((proxy) => proxy.id()));
    for (const { owner } of sources) expect(ids).toContain(owner);
    await post(other.process, 'changes/current/pause');
    await fleet.everyone('the change is paused', ({ change }) => change?.paused === true);
    await post(coordinator.process, 'changes/current/resume');
    await post(asked.process, 'changes/current/throttle', { keysPerSecond: 0 });
    await fleet.settled();
    for (const proxy of fleet.proxies) {
      for (const channel of ['ring:begun', 'ring:paused', 'ring:resumed', 'ring:finished', 'fence:passed']) {
        await expect.poll(() => toldBy(proxy, channel).length, { message: `${channel} at ${proxy.name}` }).toBe(1);
      }
      expect(toldBy(proxy, 'ring:finished')[0]?.summary).toMatch(/keys moved by this proxy in/);
      expect(toldBy(proxy, 'fleet:job-taken').map(({ job }) => job)).toEqual(
        expect.arrayContaining(['mover/node1', 'mover/node2', 'mover/node3']),
      );
    }
  });

  it('says for whom a node is down', async () => {
    const ids = (await Promise.all(fleet.proxies.map((proxy) => proxy.id()))).sort();
    await fleet.nodes[0]?.stop();
    await fleet.everyone('the node is down for all', ({ nodes }) =>
      nodes.some(({ name, downFor }) => name === 'node1' && [...downFor].sort().join() === ids.join()),
    );
    await fleet.nodes[0]?.start();
    await fleet.everyone('it is down for nobody', ({ nodes }) => nodes.every(({ downFor }) => downFor.length === 0));
  });

  it('tells that etcd is out of reach, on every page, and for how long it was', async () => {
    const [member] = fleet.etcd.members;
    await member?.kill();
    await fleet.everyone('etcd is out of reach', ({ coordination }) => !coordination.reachable);
    for (const proxy of fleet.proxies) {
      const { coordination } = await proxy.view();
      expect(coordination.trouble).toMatch(/^etcd is out of reach: .*new ones wait; the ring cannot be changed/);
      expect(coordination.unreachableSince).toMatch(/^\d{4}-/);
      expect((await scrape(proxy.admin)).get('ringproxy_etcd_up')).toBe(0);
    }
    await member?.start(fleet.etcd.members);
    await fleet.everyone('etcd is back', ({ coordination }) => coordination.trouble === null);
    for (const proxy of fleet.proxies) {
      await expect.poll(() => toldBy(proxy, 'etcd:back').at(-1)?.summary).toMatch(/^etcd is back, after \d/);
    }
  });

  it('tells who is away and who coordinates now, when the coordinator dies', async () => {
    const coordinator = await fleet.coordinator();
    const id = await coordinator.id();
    await coordinator.kill();
    await fleet.everyone('another one coordinates', ({ proxies }) =>
      proxies.some((proxy) => proxy.coordinator && proxy.id !== id),
    );
    await fleet.everyone('it is away', ({ proxies }) => proxies.some((proxy) => proxy.id === id && !proxy.alive));
    for (const proxy of fleet.running) {
      expect(toldBy(proxy, 'fleet:away').map((event) => event.proxy)).toContain(id);
      expect(toldBy(proxy, 'fleet:coordinator').at(-1)?.proxy).not.toBe(id);
      expect((await scrape(proxy.admin)).get('ringproxy_fleet_members{state="away"}')).toBe(1);
    }
    await coordinator.start();
    await fleet.everyone('three are alive', ({ proxies }) => proxies.filter(({ alive }) => alive).length === 3);
  });
});
