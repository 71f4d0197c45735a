/** With workers, each has all values: what one has written the others have a moment later, also those that start later. */
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const CONFIG = 'key-groups: { flags: { prefixes: ["r:"], cache: replicated } }';

async function stage(): Promise<RingproxyProcess> {
  const nodes = await startRedises(1);
  return startRingproxy({ nodes, config: CONFIG, args: ['--workers', '2'], allowLog: [/worker \d+ .* ended/] });
}

interface WorkerView {
  readonly pid: number;
  readonly clients: number;
}

async function workersOf(proxy: RingproxyProcess): Promise<readonly WorkerView[]> {
  return ((await (await fetch(`${proxy.admin}/v1/stats`)).json()) as { workers: WorkerView[] }).workers;
}

/** So many that each worker has some. */
async function clientsByWorker(proxy: RingproxyProcess): Promise<Redis[]> {
  const clients = Array.from({ length: 12 }, () => proxy.client());
  await Promise.all(clients.map((client) => client.ping()));
  return clients;
}

describe('replicated keys of several workers', () => {
  it('are the same for clients of each, and counters count all of them', async () => {
    const proxy = await stage();
    const clients = await clientsByWorker(proxy);
    const [writer] = clients as [Redis];
    await writer.set('r:a', 'hello', 'PX', 600_000);
    await writer.sadd('r:s', 'a', 'b');
    for (const client of clients) {
      await expect.poll(() => client.get('r:a')).toBe('hello');
      await expect.poll(async () => (await client.smembers('r:s')).sort()).toEqual(['a', 'b']);
    }
    await Promise.all(
      clients.map(async (client) => Promise.all(Array.from({ length: 100 }, () => client.incr('r:n')))),
    );
    for (const client of clients) await expect.poll(() => client.get('r:n')).toBe(String(100 * clients.length));
    await writer.flushall();
    for (const client of clients) await expect.poll(() => client.dbsize()).toBe(0);
  });

  it('survive workers, of which each that starts has all of them before its first client', async () => {
    const proxy = await stage();
    const client = proxy.client();
    const total = 5000;
    for (let from = 0; from < total; from += 1000) {
      await client.mset(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`r:${from + i}`, 'x'.repeat(100)])));
    }
    const counted = 1000;
    await Promise.all(Array.from({ length: counted }, () => client.incr('r:n')));
    for (let round = 0; round < 2; round++) {
      const clients = await clientsByWorker(proxy);
      // What a worker has answered in its last milliseconds would be lost with it.
      for (const one of clients) await expect.poll(() => one.get('r:n')).toBe(String(counted));
      const gone = (await workersOf(proxy))[round]?.pid ?? 0;
      process.kill(gone, 'SIGKILL');
      await expect
        .poll(async () => (await workersOf(proxy)).filter(({ pid }) => pid !== gone && pid > 0).length)
        .toBe(2);
      for (const one of await clientsByWorker(proxy)) {
        expect(await one.get('r:n')).toBe(String(counted));
        expect(await one.dbsize()).toBe(total + 1);
        // Who counts now may be somebody else: nothing is counted twice, and nothing is lost.
        await one.incr('r:n');
        await one.decr('r:n');
        await expect.poll(() => one.get('r:n')).toBe(String(counted));
      }
    }
  });
});
