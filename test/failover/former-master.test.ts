import { describe, expect, it } from 'vitest';
import { startRedis } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { startReplicas, startWatched, until } from '../support/sentinels.js';

const EXPECTED = [/ringproxy:node:failover/, /ringproxy:upstream:down/, /ringproxy:upstream:impaired/];

describe('a former master', () => {
  it('that stood still, and comes back as a master, is not written to by any proxy', async () => {
    const watched = await startWatched();
    const [former, next] = watched.servers;
    if (former === undefined || next === undefined) throw new Error('there are two servers');
    const proxies = await Promise.all(
      ['1', '2'].map((workers) =>
        startRingproxy({
          nodes: [`pair=${watched.address}`],
          args: ['--workers', workers],
          allowLog: EXPECTED,
          env: { RINGPROXY_REQUEST_TIMEOUT: '500ms' },
        }),
      ),
    );
    const clients = proxies.map((proxy) => proxy.client());
    for (const client of clients) await client.set('key', '0');
    former.kill('SIGSTOP');
    // Sentinels are stopped from setting it right when it comes back.
    const events = await Promise.all(proxies.map((proxy) => proxy.logged(/"ringproxy:node:failover"/)));
    for (const event of events) expect(event).toMatchObject({ fenced: false, to: next.address });
    for (const sentinel of watched.sentinels) sentinel.kill('SIGSTOP');
    former.kill('SIGCONT');
    await until(async () => (await former.client().info('replication')).includes('role:master'));
    const writes = clients.flatMap((client, at) =>
      Array.from({ length: 20 }, (_, n) => client.set(`key${at}-${n}`, 'new').catch(() => null)),
    );
    expect(new Set(await Promise.all(writes))).toEqual(new Set(['OK']));
    expect(await former.client().keys('key*-*')).toEqual([]);
    expect((await next.client().keys('key*-*')).length).toBe(40);
    for (const sentinel of watched.sentinels) sentinel.kill('SIGCONT');
  });

  it('of a list of servers is left for the one that was promoted, which is told what is lost', async () => {
    const former = await startRedis();
    const [next] = await startReplicas(former, 1);
    if (next === undefined) throw new Error('there is a replica');
    const proxy = await startRingproxy({ nodes: [`pair=${former.address},${next.address}`], allowLog: EXPECTED });
    const client = proxy.client();
    await client.set('key', 'before');
    await until(async () => (await next.client().get('key')) === 'before');
    await next.client().call('REPLICAOF', 'NO', 'ONE');
    // The former one takes it still, and the new one never hears of it.
    await former.client().set('lost', 'x'.repeat(100));
    const event = await proxy.logged(/"ringproxy:node:failover"/);
    expect(event).toMatchObject({ from: former.address, to: next.address, fenced: true, lostKnown: 'exactly' });
    expect(Number(event.lostBytes)).toBeGreaterThan(100);
    await until(async () => (await client.set('key', 'after').catch(() => null)) === 'OK');
    expect(await next.client().get('key')).toBe('after');
    expect(await former.client().get('key')).toBe('before');
    const names = (await former.client().client('LIST')) as string;
    expect(names).not.toContain(`name=ringproxy:${proxy.id}`);
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    expect(metrics).toContain('ringproxy_node_failovers_total{node="pair"} 1');
  });

  it('of a list of servers that comes back as a master is not taken while the one that served stands still', async () => {
    const former = await startRedis({ args: ['--appendonly', 'yes'] });
    const [next] = await startReplicas(former, 1);
    if (next === undefined) throw new Error('there is a replica');
    const proxy = await startRingproxy({
      nodes: [`pair=${former.address},${next.address}`],
      args: ['--workers', '2'],
      allowLog: EXPECTED,
      env: { RINGPROXY_REQUEST_TIMEOUT: '300ms', RINGPROXY_PROBE_INTERVAL: '200ms', RINGPROXY_PROBE_TIMEOUT: '300ms' },
    });
    const client = proxy.client();
    await client.set('key', 'before');
    await until(async () => (await next.client().get('key')) === 'before');
    former.kill('SIGKILL');
    await next.client().call('REPLICAOF', 'NO', 'ONE');
    await proxy.logged(/"ringproxy:node:failover"/);
    await until(async () => (await client.set('key', 'after').catch(() => null)) === 'OK');
    await former.stop();
    await former.start();
    expect(await former.client().get('key')).toBe('before');
    type Shown = { master: { address: string; failovers: number }; reason: string | null };
    const shown = async (): Promise<Shown> => {
      const ring = (await (await fetch(`${proxy.admin}/v1/ring`)).json()) as { nodes: [Shown] };
      return ring.nodes[0];
    };
    await until(async () => (await shown()).reason?.includes('neither follows the other') === true);
    next.kill('SIGSTOP');
    await until(async () => (await shown()).reason?.includes(`lacks what ${next.address}`) === true);
    await expect(client.get('key')).rejects.toThrow();
    next.kill('SIGCONT');
    await until(async () => (await client.get('key').catch(() => null)) !== null);
    expect(await client.get('key')).toBe('after');
    expect(await shown()).toMatchObject({ master: { address: next.address, failovers: 1 } });
  });
});
