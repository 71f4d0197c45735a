/**
 * `cache: near` against a model, through two proxies of two workers each: a client reads its own writes, none goes back in
 * time, none reads what is over, and none reads what was overwritten or flushed for longer than a feed is trusted that is
 * not heard. All that while feeds are cut, nodes are killed and stopped, workers are killed and the ring changes.
 */
import { expect, it } from 'vitest';
import type { StatsView } from '../../../src/admin/api.js';
import { TRUST_MS } from '../../../src/proxy/features/near/near-nodes.js';
import { startFleet, TROUBLE } from '../../support/fleet.js';
import { startLateFeeds } from '../../support/late-feeds.js';
import type { RedisProcess } from '../../support/redis-process.js';
import { post } from '../../support/ring-api.js';
import { scrape } from '../../support/series.js';
import { Checked } from './clients.js';

const NEAR_TTL_MS = 5000;
const CONFIG = `
key-groups:
  near: { prefixes: ["near:"], cache: near, near-ttl: ${NEAR_TTL_MS}ms }
probe-interval: 200ms
probe-timeout: 2s
reconnect-backoff-max: 200ms
`;
/** What nodes have acknowledged is theirs when they come back. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'];
/**
 * What is told of changed keys comes behind the replies of every other node, and in front of those of the others. By so
 * much, milliseconds.
 */
const LATE_MS = 8;
const SEED = Number(process.env.CHECK_SEED ?? 1);

/** Ends the connections by which proxies hear of changed keys. */
async function cutFeeds(node: RedisProcess): Promise<number> {
  const client = node.client();
  const lines = String(await client.call('CLIENT', 'LIST')).split('\n');
  const feeds = lines.filter((line) => /flags=\S*t/.test(line)).map((line) => /id=(\d+)/.exec(line)?.[1] ?? '');
  for (const id of feeds) await client.call('CLIENT', 'KILL', 'ID', id);
  return feeds.length;
}

it('holds what it promises, whatever happens', { timeout: 120_000 }, async () => {
  let connections = 0;
  let relays = 0;
  const fleet = await startFleet({
    nodes: 2,
    spares: 1,
    nodeArgs: DURABLE,
    proxies: 2,
    workers: 2,
    config: CONFIG,
    inFront: async ({ port }) => {
      const [feed, reply] = relays++ % 2 === 0 ? [LATE_MS, 0] : [0, LATE_MS];
      return (await startLateFeeds(port, feed, () => reply + (connections++ % 3))).address;
    },
    allowLog: [...TROUBLE, /worker/i],
  });
  const [first] = fleet.proxies;
  const [node] = fleet.nodes;
  if (first === undefined || node === undefined) throw new Error('no proxy is running');
  const checked = new Checked({
    flushes: true,
    ports: () => fleet.proxies.map(({ port }) => port),
    clients: 10,
    seed: SEED,
    pauseMs: 0,
  });
  checked.start();
  const more = async (reads: number): Promise<void> => {
    const wanted = checked.model.reads + reads;
    await expect.poll(() => checked.model.reads >= wanted, { timeout: 60_000 }).toBe(true);
  };
  await more(5000);
  expect(await cutFeeds(node)).toBeGreaterThan(0);
  await more(5000);
  await post(first, 'changes', { kind: 'add', add: [{ name: 'node3', address: fleet.addressOf(fleet.spares[0]) }] });
  await fleet.settled();
  await more(3000);
  node.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 300));
  node.kill('SIGCONT');
  await more(3000);
  await node.restart();
  await more(5000);
  const { workers } = (await (await fetch(`${first.admin}/v1/stats`)).json()) as StatsView;
  process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
  await more(3000);
  await post(first, 'changes', { kind: 'remove', remove: ['node3'] });
  await fleet.settled();
  await more(3000);
  await checked.stop();
  const { violations, late } = checked.model;
  expect(violations.slice(0, 20)).toEqual([]);
  expect(Math.max(0, ...late)).toBeLessThan(TRUST_MS);
  const figures = await Promise.all(fleet.proxies.map(({ admin }) => scrape(admin)));
  const hits = figures.map((figure) => figure.get('ringproxy_near_requests_total{group="near",result="hit"}') ?? 0);
  expect(Math.min(...hits)).toBeGreaterThan(100);
});
