/** A real Prometheus with the demo's configuration scrapes a proxy under load while its ring changes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Load } from '../../compose/load/load.js';
import { Authority } from '../support/certificates.js';
import { hasEtcd, startEtcd } from '../support/etcd-process.js';
import {
  COMPOSE,
  hasPrometheus,
  type PrometheusProcess,
  promtool,
  startPrometheus,
} from '../support/prometheus-process.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { filledIn, panelQueries, storedDashboards } from './panel-queries.js';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}

/** What only nodes have that Sentinels look after: told of in `test/failover`. */
const OF_FOLLOWED_NODES = new Set(['ringproxy_node_failovers_total']);

/** Alerts about how fast things go. */
const SPEED = /Latency|EventLoopLag/;
const TOKEN = 'demo-token';
const NODE_NAMES = ['node1', 'node2', 'node3', 'node4'];

function rulesOf(file: string): Rule[] {
  const { groups } = parse(readFileSync(join(COMPOSE, 'rules', file), 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

describe.skipIf(!hasPrometheus)('the rules', () => {
  it('are valid, and so is the configuration', () => {
    promtool(['check', 'config', 'prometheus.yml']);
    promtool(['check', 'rules', 'rules/recording.yml', 'rules/alerts.yml']);
  });

  it.each(['recording', 'alerts'])('pass their unit tests: %s', (name) => {
    expect(promtool(['test', 'rules', `rules/${name}.test.yml`])).toContain('SUCCESS');
  });

  it('each have a unit test', () => {
    for (const name of ['recording', 'alerts']) {
      const tests = readFileSync(join(COMPOSE, 'rules', `${name}.test.yml`), 'utf8');
      for (const rule of rulesOf(`${name}.yml`)) expect(tests).toContain(rule.record ?? `alertname: ${rule.alert}\n`);
    }
  });
});

describe.skipIf(!hasPrometheus || !hasEtcd)('Prometheus at a proxy under load', () => {
  let nodes: RedisProcess[];
  let proxy: RingproxyProcess;
  let prometheus: PrometheusProcess;
  let load: Load;
  let instance: string;

  const admin = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(`${proxy.admin}${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer;
  };

  beforeAll(async () => {
    nodes = await startRedises(4);
    // Some panels are of limits.
    for (const node of nodes) await node.client().config('SET', 'maxmemory', '200mb');
    const etcd = await startEtcd();
    const { services } = parse(readFileSync(join(COMPOSE, 'compose.yaml'), 'utf8'), { merge: true }) as {
      services: { 'ringproxy-1': { environment: { RINGPROXY_KEY_GROUPS: string } } };
    };
    const { RINGPROXY_KEY_GROUPS } = services['ringproxy-1'].environment;
    const { certFile, keyFile } = new Authority('prometheus').issue('proxy', ['serverAuth'], { days: 60 });
    proxy = await startRingproxy({
      nodes: nodes.slice(0, 3),
      args: ['--tls-listen', '127.0.0.1:0', '--tls-cert', certFile, '--tls-key', keyFile],
      env: {
        RINGPROXY_ADMIN_TOKEN: TOKEN,
        RINGPROXY_KEY_GROUPS,
        // A fleet of one: what only a fleet has is measured as well.
        RINGPROXY_COORDINATION: 'etcd',
        RINGPROXY_ETCD_ENDPOINTS: etcd.endpoints.join(','),
      },
    });
    instance = new URL(proxy.admin).host;
    prometheus = await startPrometheus(instance);
    load = new Load({ host: '127.0.0.1', port: proxy.port, connections: 8, rate: 1500, keys: 20_000, ttl: 600 });
    load.start();
    // Errors have a panel, too.
    const client = proxy.client();
    // So has what is kept near.
    const texts = JSON.stringify({ prefixes: 'text', cache: 'near' });
    await admin('/v1/groups/texts', { method: 'PUT', body: texts });
    await client.set('text', 'a');
    await client.get('text');
    await expect(client.lpush('text', 'b')).rejects.toThrow('WRONGTYPE');
    await prometheus.scraped(3);
    await admin('/v1/ring/changes', {
      method: 'POST',
      body: JSON.stringify({ kind: 'add', add: [{ name: 'node4', address: nodes[3]?.address }] }),
    });
    await prometheus.until(async () => {
      const moved = await prometheus.query('sum(ringproxy_rebalance_keys_moved_total)');
      const generation = await prometheus.query('ringproxy_ring_generation');
      return (moved[0]?.value ?? 0) > 0 && generation[0]?.value === 2;
    });
    await expect(client.lpush('text', 'b')).rejects.toThrow('WRONGTYPE');
    await client.get('text');
    await prometheus.scraped(3);
    return () => load.stop();
  });

  it('takes metrics that promtool has nothing to say against', async () => {
    const text = await (await admin('/metrics')).text();
    expect(promtool(['check', 'metrics'], text)).toBe('');
  });

  it('has data for every query of every panel', async () => {
    const values = { proxy: [instance], node: NODE_NAMES, __rate_interval: ['10s'] };
    const queries = panelQueries();
    expect(queries.length).toBeGreaterThan(60);
    const empty: string[] = [];
    for (const [where, expression] of queries) {
      const result = await prometheus.query(filledIn(expression, values));
      if (result.length === 0 || result.some(({ value }) => !Number.isFinite(value))) empty.push(where);
    }
    expect(empty).toEqual([]);
  });

  it('finds the nodes in the panels of nodes', async () => {
    const values = { proxy: [instance], node: NODE_NAMES, __rate_interval: ['10s'] };
    const queries = panelQueries().filter(([where]) =>
      /(Share of the (ring|load)|Hot nodes|Keys on each node)/.test(where),
    );
    for (const [where, expression] of queries) {
      const result = await prometheus.query(filledIn(expression, values));
      expect(result.map(({ labels }) => labels.node).sort(), where).toEqual(NODE_NAMES);
    }
    const shares = await prometheus.query('sum(ringproxy_ring_share)');
    expect(shares[0]?.value).toBeCloseTo(1, 6);
  });

  it('has values for every variable', async () => {
    for (const board of storedDashboards().values()) {
      for (const { name, type, query } of board.templating.list) {
        if (type === 'datasource') continue;
        const text = typeof query === 'string' ? query : query.query;
        const [, metric = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
        const found = await prometheus.query(`count by (${label}) (${filledIn(metric, { proxy: [instance] })})`);
        const values = found.map(({ labels }) => labels[label]).sort();
        expect(values, `${board.title} / ${name}`).toEqual(name === 'proxy' ? [instance] : NODE_NAMES);
      }
    }
  });

  it('has every mark on the time line valid', async () => {
    for (const board of storedDashboards().values()) {
      for (const { expr } of board.annotations.list) await prometheus.query(filledIn(expr, { proxy: [instance] }));
    }
  });

  it('has data for every recording rule, and evaluates all rules without an error', async () => {
    await prometheus.scraped(2);
    for (const { record } of rulesOf('recording.yml')) {
      expect(await prometheus.query(record ?? ''), record).not.toEqual([]);
    }
    expect(await prometheus.ruleErrors()).toEqual([]);
  });

  it('has data for every metric that an alert asks about, and no alert', async () => {
    const names = rulesOf('alerts.yml').flatMap(({ expr }) => expr.match(/\b(?:\w+:)?ringproxy_[\w:]+|\bup\b/g) ?? []);
    expect(new Set(names).size).toBeGreaterThan(12);
    for (const name of new Set(names.filter((one) => !OF_FOLLOWED_NODES.has(one)))) {
      expect(await prometheus.query(name), name).not.toEqual([]);
    }
    for (const { alert = '', expr } of rulesOf('alerts.yml')) {
      const found = await prometheus.query(expr);
      // How fast a machine is that runs the tests is not for them to say.
      if (!SPEED.test(alert)) expect(found, alert).toEqual([]);
    }
    expect((await prometheus.alerts()).filter((alert) => !SPEED.test(alert))).toEqual([]);
  });

  it('agrees within 1 % with what the load generator counted', async () => {
    await load.stop();
    await prometheus.scraped(2);
    const { counts } = load;
    expect(counts.errors).toEqual({});
    expect(counts.wrong).toBe(0);
    expect(counts.lost).toBe(0);
    expect(counts.hits).toBeGreaterThan(1000);
    expect(counts.misses).toBeGreaterThan(1000);
    const one = async (expression: string): Promise<number> => (await prometheus.query(expression))[0]?.value ?? 0;
    const near = (found: number, counted: number): void => {
      expect(Math.abs(found - counted) / counted, `${found} for ${counted}`).toBeLessThan(0.01);
    };
    for (const [command, count] of Object.entries(counts.commands)) {
      near(await one(`ringproxy_commands_total{command="${command}",outcome="ok"}`), count);
      near(await one(`ringproxy_command_duration_seconds_count{command="${command}"}`), count);
    }
    near(
      await one('sum(ringproxy_commands_total)'),
      Object.values(counts.commands).reduce((a, b) => a + b, 0),
    );
    near(await one('ringproxy_cache_requests_total{result="hit"}'), counts.hits);
    near(await one('ringproxy_cache_requests_total{result="miss"}'), counts.misses);
    const { get = 0, set = 0, mget = 0, incr = 0 } = counts.commands;
    near(await one('sum(ringproxy_key_group_commands_total{group="pages"})'), get + set + mget);
    near(await one('sum(ringproxy_key_group_commands_total{group="counters"})'), incr);
    near(await one('ringproxy_key_group_duration_seconds_count{group="counters"}'), incr);
    near(await one('ringproxy_key_group_cache_requests_total{group="pages",result="hit"}'), counts.hits);
    near(await one('ringproxy_key_group_cache_requests_total{group="pages",result="miss"}'), counts.misses);
  });

  it('alerts when a node dies', async () => {
    proxy.allowLog(/node2/);
    nodes[1]?.kill('SIGKILL');
    await prometheus.until(async () => (await prometheus.alerts()).includes('RingproxyNodeDown'));
    const [down] = panelQueries().filter(([where]) => where.includes('Overview / Nodes down'));
    const values = { proxy: [instance], __rate_interval: ['10s'] };
    expect(await prometheus.query(filledIn(down?.[1] ?? '', values))).toMatchObject([{ value: 1 }]);
  });
});
