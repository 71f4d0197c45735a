import { describe, expect, it } from 'vitest';
import { startRedises } from '../support/redis-process.js';
import { fill, post, ringOf, settled, until } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { scrape, seriesOf } from '../support/series.js';

describe('/metrics while a node is replaced', () => {
  // Two servers have the same name then. Each gave a sample, and of two samples of one series Prometheus drops one.
  it('has each series once, and the keys of both servers', async () => {
    const [a, b, fresh] = await startRedises(3);
    if (a === undefined || b === undefined || fresh === undefined) throw new Error('three servers were asked for');
    const proxy = await startRingproxy({ nodes: [a, b] });
    const metrics = async (): Promise<Map<string, number>> => {
      const series = seriesOf(await (await fetch(`${proxy.admin}/metrics`)).text());
      const names = series.map(([name]) => name);
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
      return new Map(series);
    };
    await fill(proxy, 100_000);
    await until(proxy, (view) => view.nodes.reduce((sum, node) => sum + (node.keys ?? 0), 0) === 100_000);
    const keys = (await metrics()).get('ringproxy_node_keys{node="node1"}');
    await post(proxy, 'changes', { kind: 'replace', replace: [{ name: 'node1', address: fresh.address }] });
    await post(proxy, 'changes/current/pause');
    await until(proxy, (view) => view.phase === 'moving' && view.nodes.every((node) => node.keys !== null));
    const during = await metrics();
    expect((await ringOf(proxy)).nodes.filter((node) => node.name === 'node1')).toHaveLength(2);
    expect(during.get('ringproxy_rebalance_paused')).toBe(1);
    expect(during.get('ringproxy_node_up{node="node1"}')).toBe(1);
    expect(during.get('ringproxy_ring_share{node="node1"}')).toBeGreaterThan(0.3);
    await post(proxy, 'changes/current/resume');
    await settled(proxy);
    await until(proxy, (view) => view.nodes.reduce((sum, node) => sum + (node.keys ?? 0), 0) === 100_000);
    const after = await metrics();
    expect(after.get('ringproxy_node_keys{node="node1"}')).toBe(keys);
    expect(after.get('ringproxy_rebalance_paused')).toBe(0);
  });
});

describe('errors by kind at /metrics', () => {
  it('counts what nodes answer and what the proxy answers itself', async () => {
    const [a, b] = await startRedises(2);
    if (a === undefined || b === undefined) throw new Error('two servers were asked for');
    const proxy = await startRingproxy({ nodes: [a, b], args: ['--cross-node', 'refuse'], allowLog: [/node1/] });
    const client = proxy.client();
    await client.set('text', 'x');
    await expect(client.lpush('text', 'y')).rejects.toThrow('WRONGTYPE');
    await expect(client.call('NOSUCHCOMMAND')).rejects.toThrow('ERR unknown command');
    const several = Array.from({ length: 40 }, (_, i) => `several:${i}`);
    await expect(client.call('MSETNX', ...several)).rejects.toThrow('CROSSSLOT');
    await a.stop();
    await until(proxy, (view) => view.nodes[0]?.state === 'down');
    // An MGET of many keys, a node of which is down: one error reply, whatever it was split into.
    await expect(client.mget(Array.from({ length: 50 }, (_, i) => `key:${i}`))).rejects.toThrow('NODEDOWN');
    const series = await scrape(proxy.admin);
    const kinds = [...series].filter(([name, value]) => name.startsWith('ringproxy_errors_total') && value > 0);
    expect(Object.fromEntries(kinds)).toEqual({
      'ringproxy_errors_total{kind="WRONGTYPE"}': 1,
      'ringproxy_errors_total{kind="ERR"}': 1,
      'ringproxy_errors_total{kind="CROSSSLOT"}': 1,
      'ringproxy_errors_total{kind="NODEDOWN"}': 1,
    });
    const errors = [...series].filter(([name]) => /^ringproxy_commands_total.*outcome="error"/.test(name));
    expect(errors.reduce((sum, [, value]) => sum + value, 0)).toBe(4);
  });
});
