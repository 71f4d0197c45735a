/** Several worker processes behind one socket: they share the clients, and are one proxy to whoever looks. */
import { describe, expect, it } from 'vitest';
import type { StatsView } from '../../../src/admin/api.js';
import { Checker, verifyPlacement } from '../../consistency/checker.js';
import { freePort } from '../../support/free-port.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedises } from '../../support/redis-process.js';
import { add, fill, ownersOf, post, ringOf, settled, until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const WORKER_ENDED = /its \d+ clients were cut, another one takes its place/;

async function statsOf(proxy: RingproxyProcess): Promise<StatsView> {
  return (await (await fetch(`${proxy.admin}/v1/stats`)).json()) as StatsView;
}

/** Waits for figures that workers report by themselves. */
async function untilStats(proxy: RingproxyProcess, reached: (stats: StatsView) => boolean): Promise<StatsView> {
  for (;;) {
    const stats = await statsOf(proxy);
    if (reached(stats)) return stats;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('several workers', () => {
  it('share the clients evenly, and are one in every figure', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes, args: ['--workers', '3'] });
    const clients: RawClient[] = [];
    for (let i = 0; i < 30; i++) clients.push(await RawClient.connect(proxy.port));
    await Promise.all(clients.map((client, i) => client.command('SET', `k${i}`, `v${i}`)));
    const ids = await Promise.all(clients.map((client) => client.text('CLIENT', 'ID')));
    expect(new Set(ids).size).toBe(30);
    const stats = await untilStats(
      proxy,
      ({ workers }) => workers.reduce((sum, worker) => sum + worker.clients, 0) === 30,
    );
    // Not 10 each: one that does not answer for a moment, as it starts, is passed over.
    for (const worker of stats.workers) expect(worker.clients).toBeGreaterThan(5);
    expect(stats.workers).toHaveLength(3);
    expect(stats.clients).toBe(30);
    expect(stats.commandStats).toContainEqual(expect.objectContaining({ command: 'set', calls: 30, errors: 0 }));
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    expect(metrics).toContain('ringproxy_commands_total{command="set",outcome="ok"} 30');
    expect(metrics).toContain('ringproxy_client_connections 30');
    expect((await ringOf(proxy)).proxies).toMatchObject([{ id: proxy.id, workers: 3 }]);
    // What one worker wrote the others read.
    expect(await clients[7]?.text('GET', 'k20')).toBe('$3\r\nv20\r\n');
  });

  it('keep max-clients together', async () => {
    const nodes = await startRedises(1);
    const proxy = await startRingproxy({
      nodes,
      args: ['--workers', '2'],
      config: 'max-clients: 5\n',
      allowLog: [/was turned away/],
    });
    const clients: RawClient[] = [];
    for (let i = 0; i < 5; i++) clients.push(await RawClient.connect(proxy.port));
    for (const client of clients) expect(await client.text('PING')).toBe('+PONG\r\n');
    const turnedAway = await RawClient.connect(proxy.port);
    expect(String((await turnedAway.replies(1))[0])).toBe('-ERR max number of clients reached\r\n');
    clients[0]?.close();
    await untilStats(proxy, (stats) => stats.workers.reduce((sum, worker) => sum + worker.clients, 0) === 4);
    expect(await (await RawClient.connect(proxy.port)).text('PING')).toBe('+PONG\r\n');
  });

  it('end with the proxy: what is in flight is answered, and nobody is left', async () => {
    const nodes = await startRedises(1);
    const proxy = await startRingproxy({ nodes, args: ['--workers', '2'] });
    const { workers } = await statsOf(proxy);
    const client = await RawClient.connect(proxy.port);
    await client.command('SET', 'a', 'b');
    expect(await proxy.stop()).toBe(0);
    for (const { pid } of workers) expect(isAlive(pid)).toBe(false);
  });

  it('one that dies is replaced: clients of others notice nothing, counters do not go back', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes, args: ['--workers', '2'], allowLog: [WORKER_ENDED] });
    const clients = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    for (const client of clients) for (let i = 0; i < 50; i++) await client.command('SET', `k${i}`, 'x');
    const before = await untilStats(
      proxy,
      (stats) => stats.commands >= 100 && stats.workers.every(({ clients: count }) => count === 1),
    );
    process.kill(before.workers[0]?.pid ?? 0, 'SIGKILL');
    const survivor = await Promise.race([
      clients[0]?.closed.then(() => clients[1]),
      clients[1]?.closed.then(() => clients[0]),
    ]);
    expect(await survivor?.text('GET', 'k1')).toBe('$1\r\nx\r\n');
    await proxy.logged(/ended with SIGKILL/);
    const after = await untilStats(proxy, (stats) => stats.workers.length === 2);
    expect(after.commands).toBeGreaterThanOrEqual(before.commands);
    const fresh: RawClient[] = [];
    for (let i = 0; i < 4; i++) fresh.push(await RawClient.connect(proxy.port));
    for (const client of fresh) expect(await client.text('GET', 'k2')).toBe('$1\r\nx\r\n');
  });

  it('clients that come while one dies and another starts are answered or cut, and never left waiting', async () => {
    const nodes = await startRedises(1);
    const proxy = await startRingproxy({ nodes, args: ['--workers', '2'], allowLog: [WORKER_ENDED] });
    const { workers } = await statsOf(proxy);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    const ask = async (): Promise<string> => {
      const client = await RawClient.connect(proxy.port);
      const outcome = await client.text('PING').catch(() => 'cut');
      client.close();
      return outcome;
    };
    const outcomes: Promise<string>[] = [];
    let replaced = false;
    void untilStats(
      proxy,
      (stats) => stats.workers.length === 2 && stats.workers.every(({ pid }) => pid !== workers[0]?.pid),
    ).then(() => (replaced = true));
    for (let after = 0; after < 40; ) {
      if (replaced) after++;
      outcomes.push(ask());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const all = await Promise.all(outcomes);
    expect(all.filter((outcome) => outcome !== '+PONG\r\n' && outcome !== 'cut')).toEqual([]);
    expect(all.slice(-10)).toEqual(Array(10).fill('+PONG\r\n'));
  });
});

describe('the ring changes under several workers', () => {
  it('nothing is lost, also when workers are killed with -9 while keys move', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(5);
    const port = await freePort();
    const proxy = await startRingproxy({
      nodes: nodes.slice(0, 3),
      args: ['--workers', '2', '--listen', `127.0.0.1:${port}`],
      allowLog: [WORKER_ENDED],
    });
    await fill(proxy, 40_000);
    const checker = new Checker({
      proxies: () => [{ host: '127.0.0.1', port }],
      clients: 12,
      keysPerClient: 300,
      seed: 11,
      toleratesCuts: true,
    });
    checker.start();
    for (const [index, name] of ['node4', 'node5'].entries()) {
      await post(proxy, 'changes', add(name, nodes[3 + index]));
      await post(proxy, 'changes/current/throttle', { keysPerSecond: 6000 });
      await until(proxy, (view) => (view.change?.keysMoved ?? 0) > 1000);
      const { workers } = await statsOf(proxy);
      const victim = workers[index]?.pid ?? 0;
      process.kill(victim, 'SIGKILL');
      await untilStats(
        proxy,
        (stats) => stats.workers.length === 2 && stats.workers.every(({ pid }) => pid !== victim),
      );
      await settled(proxy);
    }
    // Killed right when the change begins: in the fence, or just before it.
    const { workers } = await statsOf(proxy);
    const removed = post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await removed;
    await settled(proxy);
    await checker.stop();
    expect(checker.violations).toEqual([]);
    expect(checker.commands).toBeGreaterThan(1000);
    expect(await checker.verifyAll()).toEqual([]);
    expect(await verifyPlacement(nodes, (keys) => ownersOf(proxy, keys))).toEqual([]);
    expect(await nodes[0]?.client().dbsize()).toBe(0);
  });

  it('a worker that is stalled holds up a change with a message, and its clients lose nothing', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), args: ['--workers', '2'] });
    await fill(proxy, 1000);
    const { workers } = await statsOf(proxy);
    const pid = workers[0]?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    await expect(post(proxy, 'changes', add('node2', nodes[1]))).rejects.toThrow(
      new RegExp(`FENCE_TIMEOUT.*process ${pid}\\) does not answer`),
    );
    process.kill(pid, 'SIGCONT');
    await post(proxy, 'changes', add('node2', nodes[1]));
    await settled(proxy);
    expect(await proxy.client().dbsize()).toBe(1000);
  });

  // A worker that its primary left behind, stalled, has commands that it has yet to send to the old owners.
  it('a stalled worker of a proxy that was killed ends before it serves anything', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(2);
    const port = await freePort();
    const args = ['--workers', '2', '--listen', `127.0.0.1:${port}`, '--state-dir', tempFolder('state')];
    const first = await startRingproxy({ nodes: nodes.slice(0, 1), args });
    await fill(first, 500);
    const clients = [await RawClient.connect(port), await RawClient.connect(port)];
    for (const client of clients) await client.command('GET', 'filler:0');
    const { workers } = await statsOf(first);
    for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
    // They have not read this when their primary is gone and the ring has changed.
    for (const client of clients) {
      for (let i = 0; i < 500; i++)
        client.send(`*3\r\n$3\r\nSET\r\n$${`filler:${i}`.length}\r\nfiller:${i}\r\n$5\r\nstale\r\n`);
    }
    first.kill('SIGKILL');
    await untilGone(first.pid);
    const second = await startRingproxy({ nodes: nodes.slice(0, 1), args, allowLog: [/the ring that exists wins/] });
    await post(second, 'changes', add('node2', nodes[1]));
    await settled(second);
    for (const { pid } of workers) process.kill(pid, 'SIGCONT');
    for (const { pid } of workers) await untilGone(pid);
    expect(await second.client().mget(Array.from({ length: 500 }, (_, i) => `filler:${i}`))).toEqual(
      Array.from({ length: 500 }, (_, i) => `value of ${i}`),
    );
    expect(await verifyPlacement(nodes, (keys) => ownersOf(second, keys))).toEqual([]);
    await Promise.all(clients.map(({ closed }) => closed));
  });
});
