/** A proxy that ends in order is no member any more at once: nobody takes it for dead, and no fence waits for it. */
import { describe, expect, it } from 'vitest';
import { startChild } from '../../support/child.js';
import { hasEtcd, startEtcd } from '../../support/etcd-process.js';
import { type FleetProxy, startFleet } from '../../support/fleet.js';
import { fill, post } from '../../support/ring-api.js';
import { MAIN } from '../../support/ringproxy-process.js';

describe.skipIf(!hasEtcd)('a proxy that ends in order', () => {
  it.each(['strict', 'available'] as const)('leaves its fleet: the ring can be changed (%s)', async (consistency) => {
    // Any warning fails this test.
    const fleet = await startFleet({ proxies: 3, nodes: 2, spares: 1, workers: 2, consistency });
    const coordinator = await fleet.coordinator();
    const others = fleet.proxies.filter((proxy) => proxy !== coordinator);
    const [stays, leaves] = others as [FleetProxy, FleetProxy];
    await fill(stays.process, 500);
    // One that decides about the ring, and one that does not.
    for (const proxy of [leaves, coordinator]) {
      const id = await proxy.id();
      await proxy.stop();
      await stays.process.logged(new RegExp(`proxy ${id} .*has left the fleet`));
    }
    const { proxies } = await fleet.someone('it is alone', (view) => view.proxies.length === 1);
    expect(proxies[0]?.id).toBe(await stays.id());
    await post(stays, 'changes', { kind: 'add', add: [{ name: 'node3', address: fleet.addressOf(fleet.spares[0]) }] });
    expect(await fleet.settled()).toMatchObject({ generation: 2 });
    expect(stays.process.log.filter(({ msg }) => /lost its lease|fenced off|forgotten/.test(msg))).toEqual([]);
  });

  it('does so while it waits for a ring that nobody has made', async () => {
    const etcd = await startEtcd();
    const child = await startChild(process.execPath, [
      ...[MAIN, 'serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
      ...['--coordination', 'etcd', '--etcd-endpoints', etcd.endpoints.join(',')],
    ]);
    await child.line((line) => (line.includes('there is no ring yet') ? true : null));
    expect(await child.stop()).toBe(0);
  });
});
