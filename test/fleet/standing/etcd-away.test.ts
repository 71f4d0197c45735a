/**
 * A proxy whose lease has run out, and that cannot ask etcd, may have been passed over: connections that nodes have go on,
 * new ones wait, and say so. Where the ring is `available`, nobody is passed over, and new ones are used.
 */
import { describe, expect, it } from 'vitest';
import { hasEtcd } from '../../support/etcd-process.js';
import { startFleet, TROUBLE } from '../../support/fleet.js';
import { RawClient } from '../../support/raw-client.js';
import type { LogLine } from '../../support/ringproxy-process.js';

const CONFIG = 'member-ttl: 2s\nconnect-timeout: 500ms\n';
const UNSURE =
  /^-TRYAGAIN node node\d \(\S+\) is not spoken to yet: the store of the ring \(etcd\) does not answer.*\r\n$/;

describe.skipIf(!hasEtcd).each([1, 2])('while etcd is away (workers: %i)', (workers) => {
  it('a strict ring goes on by the connections that there are, and others wait until etcd is back', async () => {
    const fleet = await startFleet({ proxies: 1, nodes: 1, workers, config: CONFIG, allowLog: TROUBLE });
    const [proxy] = fleet.proxies;
    // As many as there are workers.
    const clients = await Promise.all(Array.from({ length: workers }, () => RawClient.connect(proxy?.port ?? 0)));
    for (const client of clients) expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
    await fleet.etcd.members[0]?.kill();
    const watch = async (client: RawClient): Promise<string> => {
      const reply = await client.text('WATCH', 'k');
      if (reply === '+OK\r\n') await client.command('UNWATCH');
      return reply;
    };
    // Lanes of one client are kept for the next one: as many are needed as there were, and one more.
    for (const client of clients) {
      const others: RawClient[] = [];
      await expect
        .poll(
          async () => {
            const other = await RawClient.connect(proxy?.port ?? 0);
            others.push(other);
            return other.text('WATCH', 'k');
          },
          { timeout: 30_000 },
        )
        .toMatch(UNSURE);
      expect(await client.text('GET', 'k')).toBe('$1\r\nv\r\n');
    }
    await fleet.etcd.members[0]?.restart();
    for (const client of clients) await expect.poll(() => watch(client), { timeout: 30_000 }).toBe('+OK\r\n');
  });

  it('an available ring goes on by new connections, too', async () => {
    const fleet = await startFleet({
      ...{ proxies: 1, nodes: 1, workers, config: CONFIG, allowLog: TROUBLE },
      consistency: 'available',
    });
    const [proxy] = fleet.proxies;
    // Cut off: it answers nothing, instead of refusing.
    fleet.etcd.members[0]?.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(proxy?.port ?? 0)));
    for (const client of clients) {
      expect(await client.text('WATCH', 'k')).toBe('+OK\r\n');
      expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
    }
  });

  it('an available ring is served by a proxy that starts meanwhile, as soon as etcd is found to be away', async () => {
    const fleet = await startFleet({
      // A connection may have to wait for another one's question to etcd, and then for its own: 300 ms each.
      ...{ proxies: 1, nodes: 1, workers, config: 'member-ttl: 2s\nconnect-timeout: 2s\n', allowLog: TROUBLE },
      consistency: 'available',
    });
    const [proxy] = fleet.proxies;
    if (proxy === undefined) throw new Error('no proxy is running');
    const id = await proxy.id();
    await proxy.kill();
    await fleet.etcd.members[0]?.kill();
    await proxy.start();
    const client = await RawClient.connect(proxy.port);
    expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
    const { coordination } = await proxy.view();
    expect(coordination).toMatchObject({ proxy: id, consistency: 'available', reachable: false });
    expect(proxy.process.id).toBe(id);
    const timeOf = (line: LogLine): number => Date.parse(String(line.time));
    const found = await proxy.process.logged(/serves the ring that this proxy knew last/);
    // Three questions to etcd take 9 seconds to fail.
    expect(timeOf(await proxy.process.logged(/"msg":"serving clients/)) - timeOf(found)).toBeLessThan(8500);
  });
});
