import { describe, expect, it } from 'vitest';
import { startRedis } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { startWatched, until, type Watched } from '../support/sentinels.js';

const EXPECTED = [/ringproxy:node:failover/, /ringproxy:upstream:down/, /ringproxy:upstream:impaired/];

async function startPair(workers: number): Promise<{ watched: Watched; proxy: RingproxyProcess }> {
  const watched = await startWatched();
  const other = await startRedis();
  const proxy = await startRingproxy({
    nodes: [`pair=${watched.address}`, `plain=${other.address}`],
    args: ['--workers', String(workers)],
    allowLog: EXPECTED,
  });
  return { watched, proxy };
}

/** A key of the node `pair`. */
async function keyOf(proxy: RingproxyProcess): Promise<string> {
  for (let n = 0; ; n++) {
    const answer = await fetch(`${proxy.admin}/v1/ring/which?key=key${n}`);
    const [found] = (await answer.json()) as { node: string }[];
    if (found?.node === 'pair') return `key${n}`;
  }
}

describe.each([1, 2])('a node that is a master with Sentinels, %i worker(s)', (workers) => {
  it('is served by the promoted replica, by the same ring', async () => {
    const { watched, proxy } = await startPair(workers);
    const key = await keyOf(proxy);
    const client = proxy.client();
    await client.set(key, 'before');
    const former = await watched.master();
    expect(await former.client().get(key)).toBe('before');
    await until(async () => (await watched.servers[1]?.client().get(key)) === 'before');

    await watched.failOver();
    const event = await proxy.logged(/"ringproxy:node:failover"/);
    expect(event).toMatchObject({ node: 'pair', from: former.address, to: watched.servers[1]?.address, fenced: true });

    await until(async () => (await client.set(key, 'after').catch(() => null)) === 'OK');
    expect(await watched.servers[1]?.client().get(key)).toBe('after');
    const ring = (await (await fetch(`${proxy.admin}/v1/ring`)).json()) as {
      generation: number;
      nodes: { name: string; master: unknown }[];
    };
    expect(ring.generation).toBe(1);
    expect(ring.nodes.find(({ name }) => name === 'pair')?.master).toMatchObject({
      ...{ address: watched.servers[1]?.address, source: 'sentinel', failovers: 1, epoch: 1 },
    });
  });

  it('is served by the promoted replica when the master was killed', async () => {
    const { watched, proxy } = await startPair(workers);
    const key = await keyOf(proxy);
    const client = proxy.client();
    await client.set(key, 'before');
    await until(async () => (await watched.servers[1]?.client().get(key)) === 'before');
    watched.servers[0]?.kill('SIGKILL');
    await proxy.logged(/"ringproxy:node:failover"/);
    await until(async () => (await client.get(key).catch(() => null)) === 'before');
    expect(await client.set(key, 'after')).toBe('OK');
  });
});
