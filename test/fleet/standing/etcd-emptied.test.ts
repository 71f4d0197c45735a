/**
 * etcd forgets, or is brought back from a backup: keys are where the newest ring has put them, so no older one may take
 * its place without a word.
 */
import { describe, expect, it } from 'vitest';
import type { GroupsView } from '../../../src/admin/api.js';
import { hasEtcd } from '../../support/etcd-process.js';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../../support/fleet.js';
import { fill, post } from '../../support/ring-api.js';

const KEYS = 300;
const RING_KEY = Buffer.from('/ringproxy/laboratory/ring').toString('base64');

interface RangeAnswer {
  readonly kvs: readonly { readonly value: string }[];
}

/** A ring of two nodes, to which a third one was added; its first proxy is started with two, as it always was. */
async function grownFleet(
  proxies: number,
  consistency: 'strict' | 'available',
  before: (fleet: Fleet) => Promise<unknown> = async () => {},
): Promise<Fleet> {
  const fleet = await startFleet({
    ...{ proxies, nodes: 2, spares: 1, consistency, config: 'member-ttl: 2s\n', allowLog: TROUBLE },
  });
  const [first] = fleet.proxies as [FleetProxy];
  await fill(first.process, KEYS);
  await before(fleet);
  await post(first, 'changes', { kind: 'add', add: [{ name: 'node3', address: fleet.addressOf(fleet.spares[0]) }] });
  await fleet.settled();
  // Each has connections to all nodes: a strict ring has no new ones while etcd does not tell.
  for (const proxy of fleet.proxies) await expectAllKeys(proxy);
  return fleet;
}

async function expectAllKeys(proxy: FleetProxy): Promise<void> {
  expect(await proxy.process.client().dbsize()).toBe(KEYS);
  const names = Array.from({ length: KEYS }, (_, i) => `filler:${i}`);
  expect((await proxy.process.client().mget(...names)).filter((value) => value === null)).toEqual([]);
}

describe.skipIf(!hasEtcd)('an etcd that has lost everything', () => {
  it.each(['strict', 'available'] as const)(
    'leaves clients served, and gets the ring back from a proxy that is started again (%s)',
    async (consistency) => {
      const fleet = await grownFleet(2, consistency);
      const [first, second] = fleet.proxies as [FleetProxy, FleetProxy];
      const groups = async ({ admin }: FleetProxy): Promise<string[]> => {
        const answer = (await (await fetch(`${admin}/v1/groups`)).json()) as GroupsView;
        return answer.groups.map(({ group }) => `${group} ${answer.source}`);
      };
      const headers = { 'content-type': 'application/json' };
      const body = '{"fillers":"filler:"}';
      await fetch(`${second.admin}/v1/groups`, { method: 'PUT', body, headers });
      await expect.poll(() => groups(first)).toEqual(['fillers ring']);
      await fleet.etcd.members[0]?.empty();
      for (const proxy of fleet.proxies) {
        await proxy.process.logged(/etcd has lost the ring: clients are served/);
        await expectAllKeys(proxy);
        await expect
          .poll(() => proxy.view(), { timeout: 20_000 })
          .toMatchObject({
            generation: 2,
            coordination: { reachable: true, trouble: expect.stringMatching(/^etcd has lost the ring: clients/) },
          });
      }
      for (const proxy of fleet.proxies) {
        await expect.poll(async () => (await proxy.view()).coordination.leaseSeconds, { timeout: 20_000 }).toBe(0);
        await expectAllKeys(proxy);
      }
      await first.kill();
      await first.start();
      await first.process.logged(/etcd had no ring: .* generation 2 \(node1, node2, node3\)/);
      await fleet.everyone('both are of one ring', (view) => view.generation === 2 && view.proxies.length === 2);
      for (const proxy of [first, second]) {
        await expectAllKeys(proxy);
        // Groups of keys come with the ring.
        expect(await groups(proxy)).toEqual(['fillers ring']);
      }
      await post(second, 'changes', { kind: 'remove', remove: ['node1'] });
      expect(await fleet.settled()).toMatchObject({ generation: 3 });
      for (const proxy of [first, second]) await expectAllKeys(proxy);
    },
  );
});

describe.skipIf(!hasEtcd)('an etcd that was brought back from a backup', () => {
  it('with an older ring than a proxy knows is not gone by, and the newer ring stays known', async () => {
    let backup = '';
    const fleet = await grownFleet(1, 'strict', async ({ etcd }) => {
      const answer = (await etcd.call('/v3/kv/range', { key: RING_KEY })) as RangeAnswer;
      backup = answer.kvs[0]?.value ?? '';
    });
    const [proxy] = fleet.proxies as [FleetProxy];
    await proxy.stop();
    await fleet.etcd.call('/v3/kv/put', { key: RING_KEY, value: backup });
    for (let tries = 0; tries < 2; tries++) {
      await expect(proxy.start()).rejects.toThrow(
        /etcd has generation 1 of the ring \(node1, node2\), and this proxy has known generation 2 \(node1, node2, node3\)/,
      );
    }
    await fleet.etcd.call('/v3/kv/deleterange', { key: RING_KEY });
    await proxy.start();
    await expectAllKeys(proxy);
  });
});
