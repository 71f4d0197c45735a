/** Each process of a proxy in the one scrape. */
import { describe, expect, it } from 'vitest';
import type { StatsView } from '../../../src/admin/api.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedises } from '../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';

const WORKER_ENDED = /its \d+ clients were cut, another one takes its place/;
const METRICS = [
  'cpu_seconds_total',
  'resident_memory_bytes',
  'heap_bytes',
  'event_loop_lag_seconds',
  'client_connections',
];

/** The values of `ringproxy_worker_NAME` by worker. */
function byWorker(series: ReadonlyMap<string, number>, name: string): Record<string, number> {
  const found = [...series].flatMap(([key, value]) => {
    const match = /^ringproxy_worker_(\w+)\{worker="([^"]+)"\}$/.exec(key);
    return match?.[1] === name ? [[match[2] ?? '', value] as const] : [];
  });
  return Object.fromEntries(found);
}

async function untilStats(proxy: RingproxyProcess, reached: (stats: StatsView) => boolean): Promise<StatsView> {
  for (;;) {
    const stats = (await (await fetch(`${proxy.admin}/v1/stats`)).json()) as StatsView;
    if (reached(stats)) return stats;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function sum(values: Record<string, number>): number {
  return Object.values(values).reduce((a, b) => a + b, 0);
}

describe('metrics of workers', () => {
  it('are those of the process where there is one', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    await (await RawClient.connect(proxy.port)).command('PING');
    const series = await scrape(proxy.admin);
    for (const name of METRICS) expect(Object.keys(byWorker(series, name)), name).toEqual(['1']);
    expect(byWorker(series, 'client_connections')).toEqual({ 1: 1 });
    expect(sum(byWorker(series, 'cpu_seconds_total'))).toBe(series.get('ringproxy_cpu_seconds_total'));
    expect(series.get('process_cpu_seconds_total')).toBe(series.get('ringproxy_cpu_seconds_total'));
    expect(series.get('process_start_time_seconds')).toBeGreaterThan(1.7e9);
  });

  it('show each process, add up to those of the proxy, and stay as many when one is replaced', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes, args: ['--workers', '2'], allowLog: [WORKER_ENDED] });
    const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(proxy.port)));
    for (const client of clients) await client.command('SET', 'k', 'v');
    const before = await untilStats(
      proxy,
      ({ workers }) => workers.reduce((sum, worker) => sum + worker.clients, 0) === 4,
    );
    // Mostly two each: one that does not answer for a moment, as it starts, is passed over.
    const had = Object.fromEntries(before.workers.map(({ slot, clients: count }) => [slot, count]));
    expect(before.workers.map(({ slot }) => slot)).toEqual([1, 2]);
    const series = await scrape(proxy.admin);
    for (const name of METRICS) expect(Object.keys(byWorker(series, name)).sort(), name).toEqual(['1', '2', 'primary']);
    expect(byWorker(series, 'client_connections')).toEqual({ ...had, primary: 0 });
    for (const name of ['resident_memory_bytes', 'heap_bytes', 'cpu_seconds_total']) {
      const parts = byWorker(series, name);
      expect(sum(parts), name).toBeCloseTo(series.get(`ringproxy_${name}`) ?? 0, 6);
      expect(Math.min(...Object.values(parts)), name).toBeGreaterThan(0);
    }
    expect(series.get('process_resident_memory_bytes')).toBe(series.get('ringproxy_resident_memory_bytes'));

    const victim = before.workers.find(({ slot }) => slot === 1)?.pid ?? 0;
    process.kill(victim, 'SIGKILL');
    await proxy.logged(/ended with SIGKILL/);
    const after = await untilStats(
      proxy,
      ({ workers }) => workers.length === 2 && workers.every(({ pid }) => pid !== victim),
    );
    expect(after.workers.map(({ slot }) => slot).sort()).toEqual([1, 2]);
    expect(Math.max(...after.workers.map(({ number }) => number))).toBe(3);
    // The new one has started when it answers.
    let replaced = await scrape(proxy.admin);
    while (byWorker(replaced, 'client_connections')['1'] === undefined) replaced = await scrape(proxy.admin);
    expect(byWorker(replaced, 'client_connections')).toEqual({ ...had, 1: 0, primary: 0 });
    // What the dead one had used is part of the whole.
    expect(replaced.get('process_cpu_seconds_total')).toBeGreaterThanOrEqual(
      series.get('process_cpu_seconds_total') ?? Number.POSITIVE_INFINITY,
    );
  });

  // A worker that did not answer in time was left out: counters fell, and Prometheus saw them begin anew.
  it('do not let a counter fall while a worker is stalled', async () => {
    const nodes = await startRedises(1);
    const proxy = await startRingproxy({ nodes, args: ['--workers', '2'] });
    const clients = await Promise.all([1, 2].map(() => RawClient.connect(proxy.port)));
    for (const client of clients) for (let i = 0; i < 10; i++) await client.command('SET', 'k', 'v');
    const { workers } = await untilStats(proxy, (stats) => stats.commands === 20);
    const pid = workers[0]?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      const series = await scrape(proxy.admin);
      expect(series.get('ringproxy_commands_total{command="set",outcome="ok"}')).toBe(20);
      expect(Object.keys(byWorker(series, 'cpu_seconds_total')).sort()).toEqual(['1', '2', 'primary']);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
