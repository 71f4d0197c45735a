/**
 * `cache: near` against the model of `near.test.ts` while the group's policy is changed at one proxy or the other, over and
 * over: kept near or not, for how long, filled once or by everybody, of keys that become hot and cold meanwhile, with little
 * memory. A reply that is on its way is kept by the policy of neither side where it must not be.
 */
import { expect, it } from 'vitest';
import { TRUST_MS } from '../../../src/proxy/features/near/near-nodes.js';
import { Random } from '../../fuzz/random.js';
import { startFleet, TROUBLE } from '../../support/fleet.js';
import { startLateFeeds } from '../../support/late-feeds.js';
import { headersFor } from '../../support/ring-api.js';
import { scrape } from '../../support/series.js';
import { Checked } from './clients.js';

const CONFIG = `
key-groups:
  near: { prefixes: ["near:"], cache: near, near-ttl: 1h }
near-auto: on
near-memory: 1mb
`;
const SEED = Number(process.env.CHECK_SEED ?? 1);
const CHANGES = Number(process.env.CHANGES ?? 25);
/** Reads between two changes. */
const READS = 300;
const FEED_DELAY_MS = 8;
const POLICIES = [
  { cache: 'near', 'near-ttl': '1h', 'fill-wait': null },
  { cache: 'near', 'near-ttl': '5ms', 'fill-wait': '20ms' },
  { cache: 'sharded', 'near-ttl': null, 'fill-wait': null },
  { cache: 'sharded', 'near-ttl': null, 'fill-wait': '20ms' },
  { cache: 'near', 'near-ttl': '1h', 'max-value-bytes': '1kb' },
  { cache: 'near', 'max-value-bytes': null, 'default-ttl': '1h', 'ttl-jitter': '10%' },
  { cache: 'near', 'default-ttl': null, 'ttl-jitter': null, prefixes: ['near:', 'other:'] },
  { cache: 'near', prefixes: ['near:'] },
] as const;

it('holds what it promises while policies change', { timeout: 120_000 }, async () => {
  let connections = 0;
  const fleet = await startFleet({
    ...{ nodes: 2, proxies: 2, workers: 2, config: CONFIG, allowLog: [...TROUBLE] },
    inFront: async ({ port }) => (await startLateFeeds(port, FEED_DELAY_MS, () => connections++ % 3)).address,
  });
  const checked = new Checked({
    ...{ flushes: false, clients: 9, seed: SEED, pauseMs: 0 },
    ports: () => fleet.proxies.map(({ port }) => port),
  });
  const { model } = checked;
  const random = new Random(SEED);
  checked.start();
  for (let i = 0; i < CHANGES; i++) {
    const wanted = model.reads + READS;
    await expect.poll(() => model.reads >= wanted, { timeout: 60_000, interval: 5 }).toBe(true);
    const proxy = random.pick(fleet.proxies);
    const answer = await fetch(`${proxy.admin}/v1/groups/near`, {
      method: 'PATCH',
      headers: headersFor(proxy),
      body: JSON.stringify(random.pick(POLICIES)),
    });
    expect(answer.ok, await answer.text()).toBe(true);
  }
  await checked.stop();
  expect(model.violations.slice(0, 20)).toEqual([]);
  expect(Math.max(0, ...model.late)).toBeLessThan(TRUST_MS);
  const figures = await Promise.all(fleet.proxies.map(({ admin }) => scrape(admin)));
  const hits = figures.map((figure) => figure.get('ringproxy_near_requests_total{group="near",result="hit"}') ?? 0);
  expect(Math.min(...hits)).toBeGreaterThan(20);
});
