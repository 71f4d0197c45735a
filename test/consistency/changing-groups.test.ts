/**
 * Groups of keys change in the middle of ring changes, under load: between sharded, near, near with all that goes with it,
 * and limits. Nothing acknowledged is lost, a client reads its own writes and never goes back in time, nothing is read
 * beyond its time to live.
 */
import { expect, it } from 'vitest';
import { startLateFeeds } from '../support/late-feeds.js';
import { startRedises } from '../support/redis-process.js';
import { fill, post, ringOf, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { scrape } from '../support/series.js';
import { Checker } from './checker.js';
import { Checked } from './near/clients.js';

const NEAR_TTL_MS = 5000;
/** By so much is what nodes tell of changed keys behind the replies. */
const FEED_DELAY_MS = 8;
const SEED = Number(process.env.CHECK_SEED ?? 3);
const KEYS = 20_000;

const NEAR = { cache: 'near', 'near-ttl': `${NEAR_TTL_MS}ms` };
/** A checker's times to live are an hour or none: what is shortened by a tenth still looks like the former. */
const LIMITS = { 'max-value-bytes': '1mb', 'ttl-jitter': '10%' };
/** Each with the one before it: kept replies must not outlive the group's being sharded. */
const POLICIES = [NEAR, {}, NEAR, LIMITS, { ...NEAR, ...LIMITS }, { ...NEAR, 'max-value-bytes': '2mb' }, {}, NEAR];

it('lose nothing, and show nothing of the past', { timeout: 120_000 }, async () => {
  const nodes = await startRedises(3);
  let connections = 0;
  const feeds = await Promise.all(
    nodes.map(async ({ port }) => startLateFeeds(port, FEED_DELAY_MS, () => connections++ % 3)),
  );
  const entry = (i: number) => ({
    ...{ name: `node${i + 1}`, address: feeds[i]?.address ?? '' },
    peerAddress: nodes[i]?.address ?? '',
  });
  const written = [0, 1].map(entry).map((one) => ({ ...one, 'peer-address': one.peerAddress, peerAddress: undefined }));
  const proxy = await startRingproxy({ args: ['--workers', '2'], config: `nodes: ${JSON.stringify(written)}\n` });
  await fill(proxy, KEYS);
  // Each key of theirs has one client, which knows what is right; and keys that one writes and all read.
  const [own, shared] = [
    new Checker({ proxies: () => [proxy], clients: 6, keysPerClient: 40, seed: SEED, toleratesCuts: false }),
    new Checked({ ports: () => [proxy.port], clients: 8, seed: SEED, pauseMs: 0, flushes: false }),
  ];
  own.start();
  shared.start();
  const more = async (count: number): Promise<void> => {
    const [commands, reads] = [own.commands + count, shared.model.reads + count];
    const isWrong = (): boolean => own.violations.length + shared.model.violations.length > 0;
    if (isWrong()) return;
    const isDone = (): boolean => isWrong() || (own.commands >= commands && shared.model.reads >= reads);
    await expect.poll(isDone, { timeout: 60_000, interval: 10 }).toBe(true);
  };
  const use = async (policy: object): Promise<void> => {
    const groups = { own: { prefixes: ['c', 'shared:'], ...policy }, near: { prefixes: ['near:'], ...policy } };
    const answer = await fetch(`${proxy.admin}/v1/groups`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(groups),
    });
    expect([answer.status, answer.status === 200 ? '' : await answer.text()]).toEqual([200, '']);
  };
  await use(NEAR);
  for (const change of [
    { kind: 'add', add: [entry(2)] },
    { kind: 'remove', remove: ['node1'] },
  ]) {
    await more(2000);
    // Slow, so that it goes on for as long as groups change.
    await post(proxy, 'changes', { ...change, throttle: 1000 });
    for (const policy of POLICIES) {
      await use(policy);
      await more(500);
    }
    expect((await ringOf(proxy)).change).toMatchObject({ kind: change.kind, phase: 'moving' });
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
    await settled(proxy);
  }
  await more(1000);
  const figures = await scrape(proxy.admin);
  await use({});
  await Promise.all([own.stop(), shared.stop()]);
  expect(own.violations).toEqual([]);
  expect(shared.model.violations.slice(0, 20)).toEqual([]);
  expect(Math.max(0, ...shared.model.late)).toBeLessThan(NEAR_TTL_MS);
  expect(await own.verifyAll()).toEqual([]);
  // What was looked at was served from the proxy, too.
  for (const group of ['own', 'near']) {
    expect(figures.get(`ringproxy_near_requests_total{group="${group}",result="hit"}`)).toBeGreaterThan(100);
  }
});
