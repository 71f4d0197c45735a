/**
 * `cache: near` against the model of `near.test.ts` while a node leaves the ring by itself, and comes back emptied: killed
 * and started with all that it had, and stalled until it is ejected. What it had is gone, and nothing older than what
 * somebody has seen comes back, from no node and from nothing that is kept.
 */
import { expect, it } from 'vitest';
import type { RingView } from '../../../src/admin/api.js';
import { TRUST_MS } from '../../../src/proxy/features/near/near-nodes.js';
import { type FleetProxy, startFleet, TROUBLE } from '../../support/fleet.js';
import { RawClient } from '../../support/raw-client.js';
import type { RedisProcess } from '../../support/redis-process.js';
import { scrape } from '../../support/series.js';
import { Checked } from './clients.js';

const CONFIG = `
key-groups:
  near: { prefixes: ["near:"], cache: near, near-ttl: 1h, fill-wait: 50ms }
on-node-failure: eject
eject-after: 300ms
rejoin-after: 200ms
rejoin-after-max: 200ms
connect-timeout: 500ms
request-timeout: 1s
probe-interval: 100ms
probe-timeout: 400ms
probe-failures: 2
reconnect-backoff-max: 200ms
`;
/** What nodes have acknowledged they have when they are started again, and must lose. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'];
const SEED = Number(process.env.CHECK_SEED ?? 1);

/** Keys that are read all the time, and written by nobody while a node is away. */
const PAGES = Array.from({ length: 40 }, (_, i) => `near:page:${i}`);
const CLIENTS = 4;

/** What clients of each worker are answered for the pages; null: they are not answered the same. */
async function seenAt({ port }: FleetProxy): Promise<string | null> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => RawClient.connect(port)));
  const seen = new Set<string>();
  for (let i = 0; i < 3; i++) {
    for (const client of clients) seen.add(String(await client.pipeline(PAGES.map((key) => ['GET', key]))));
  }
  for (const client of clients) client.close();
  return seen.size === 1 ? [...seen].join() : null;
}

const isOut = ({ nodes, change }: RingView): boolean =>
  change === null && nodes.some(({ state }) => state === 'ejected');
const isWhole = ({ nodes, change }: RingView): boolean =>
  change === null && nodes.length === 3 && nodes.every(({ state }) => state === 'active');

it('shows nothing of a node that was ejected, and of one that is back only what is there', {
  timeout: 120_000,
}, async () => {
  const fleet = await startFleet({
    ...{ nodes: 3, proxies: 2, workers: 2, nodeArgs: DURABLE, config: CONFIG },
    allowLog: [...TROUBLE, /node\d/, /eject/],
  });
  const [, node] = fleet.nodes as [RedisProcess, RedisProcess];
  const checked = new Checked({
    ...{ flushes: false, clients: 9, seed: SEED, pauseMs: 0 },
    ports: () => fleet.proxies.map(({ port }) => port),
  });
  const { model } = checked;
  checked.start();
  const more = async (reads: number): Promise<void> => {
    const wanted = model.reads + reads;
    await expect.poll(() => model.reads >= wanted, { timeout: 60_000 }).toBe(true);
  };
  await more(5000);
  const staysLost = async (lost: ReadonlySet<string>): Promise<void> => {
    const wanted = String(PAGES.map((key) => (lost.has(key) ? '$-1\r\n' : '$1\r\nx\r\n')));
    for (const proxy of fleet.proxies) await expect.poll(() => seenAt(proxy), { timeout: 30_000 }).toBe(wanted);
  };
  const leaves = async (fail: () => unknown): Promise<ReadonlySet<string>> => {
    const writer = await RawClient.connect(fleet.proxies[0]?.port ?? 0);
    await writer.command('MSET', ...PAGES.flatMap((key) => [key, 'x']));
    writer.close();
    await staysLost(new Set());
    const pages = new Set(await node.client().keys('near:page:*'));
    expect(pages.size).toBeGreaterThan(0);
    // Its keys are lost from now on, and until all know that.
    const lost = model.flush(performance.now());
    await fail();
    await fleet.everyone('the node is ejected', isOut);
    lost.answeredAt = performance.now() + TRUST_MS;
    await more(2000);
    await staysLost(pages);
    return pages;
  };
  const first = await leaves(() => node.stop());
  await node.start();
  expect(await node.client().dbsize()).toBeGreaterThan(0);
  await fleet.everyone('the ring is whole', isWhole);
  await more(2000);
  await staysLost(first);
  const second = await leaves(() => node.kill('SIGSTOP'));
  node.kill('SIGCONT');
  await fleet.everyone('the ring is whole', isWhole);
  await more(3000);
  await staysLost(second);
  await checked.stop();
  expect(model.violations.slice(0, 20)).toEqual([]);
  expect(Math.max(0, ...model.late)).toBeLessThan(TRUST_MS);
  const figures = await Promise.all(fleet.proxies.map(({ admin }) => scrape(admin)));
  const hits = figures.map((figure) => figure.get('ringproxy_near_requests_total{group="near",result="hit"}') ?? 0);
  expect(Math.min(...hits)).toBeGreaterThan(100);
});
