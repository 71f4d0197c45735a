/**
 * Clients on several proxies, while the ring changes and whatever can happen to a fleet happens to it: nothing that was
 * acknowledged is lost, nothing that was deleted comes back, and every change ends.
 */
import { describe, expect, it } from 'vitest';
import { Checker, verifyPlacement, verifyStillKeys } from '../consistency/checker.js';
import { BlockingPops, Channels, Streams, Transactions } from '../consistency/flows.js';
import { Random } from '../fuzz/random.js';
import { type Fleet, startFleet, TROUBLE } from '../support/fleet.js';
import { type GatedRelay, startGatedRelay } from '../support/gated-relay.js';
import { FILLERS, fill, fillers, ownersOf, post } from '../support/ring-api.js';
import { allRounds, describeRound, Rounds } from './rounds.js';

/** `FLEET_SEEDS=20 npx vitest run test/fleet/consistency.test.ts`: that many, and all rounds of each. */
const SEEDS = process.env.FLEET_SEEDS === undefined ? null : Number(process.env.FLEET_SEEDS);
const FIRST_SEED = Number(process.env.CHECK_SEED ?? 1);
/** Rounds of a seed, where not all are wanted. */
const FEW = 8;

/** What nodes have acknowledged is theirs when they come back. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'];
/** Short leases, so that a proxy that stands still is passed soon. */
const SOON = 'member-ttl: 2s\nprobe-interval: 200ms\nprobe-timeout: 2s\nreconnect-backoff-max: 200ms\n';

async function expectPlaced(fleet: Fleet): Promise<void> {
  const [proxy] = fleet.running;
  if (proxy === undefined) throw new Error('no proxy is running');
  const known = new Map([...fleet.nodes, ...fleet.spares].map((node) => [fleet.addressOf(node), node.address]));
  const nodes = [...fleet.nodes, ...fleet.spares];
  const wrong = await fleet.whileSettled(() =>
    verifyPlacement(nodes, async (keys) =>
      (await ownersOf(proxy, keys)).map((address) => known.get(address) ?? address),
    ),
  );
  expect(wrong).toEqual([]);
}

describe('a fleet of three proxies with two workers each', () => {
  it('3 to 5 to 4 nodes, other weights, a replaced node, a change that is cancelled half-way', {
    timeout: 240_000,
  }, async () => {
    const fleet = await startFleet({ nodes: 3, spares: 3, workers: 2 });
    const { proxies, spares } = fleet;
    const [first] = proxies;
    if (first === undefined) throw new Error('no proxy is running');
    await fill(first.process, 10_000);
    const flows = [Transactions, BlockingPops, Streams, Channels].map((Flow) => new Flow(proxies));
    const checker = new Checker({
      proxies: () => proxies,
      clients: 9,
      keysPerClient: 200,
      seed: FIRST_SEED,
      toleratesCuts: false,
    });
    for (const flow of flows) flow.start();
    checker.start();
    let asked = 0;
    const change = async (body: object): Promise<void> => {
      const before = flows.map((flow) => flow.done);
      // At each proxy in turn, whoever coordinates.
      await post(proxies[asked++ % proxies.length] ?? first, 'changes', body);
      await fleet.settled();
      await expect
        .poll(() => flows.every((flow, i) => flow.done > (before[i] ?? 0) + 20), { timeout: 60_000 })
        .toBe(true);
    };
    const node = (name: string, at: number, weight = 1): object => ({
      name,
      address: fleet.addressOf(spares[at]),
      weight,
    });
    await change({ kind: 'add', add: [node('node4', 0)] });
    await change({ kind: 'add', add: [node('node5', 1, 2)] });
    await change({ kind: 'remove', remove: ['node2'] });
    await change({ kind: 'reweight', weights: [{ name: 'node1', weight: 3 }] });
    await change({ kind: 'replace', replace: [{ name: 'node3', address: fleet.addressOf(spares[2]) }] });
    await post(first, 'changes', { kind: 'remove', remove: ['node4'], throttle: 2000 });
    await fleet.someone('some keys have moved', (view) => (view.change?.keysMoved ?? 0) > 300);
    await post(proxies[1] ?? first, 'changes/current/cancel', {});
    const view = await fleet.settled();
    expect(view.nodes.map(({ name }) => name).sort()).toEqual(['node1', 'node3', 'node4', 'node5']);
    for (const flow of flows) expect(await flow.stop(), flow.constructor.name).toEqual([]);
    await checker.stop();
    expect(checker.violations).toEqual([]);
    expect(checker.commands).toBeGreaterThan(1000);
    expect(await checker.verifyAll()).toEqual([]);
    await expectPlaced(fleet);
  });

  const seeds = Array.from({ length: SEEDS ?? 1 }, (_, i) => FIRST_SEED + i);
  describe('in any phase of a change', () => {
    it.each(seeds)('whatever befalls it in any phase of a change (seed %i)', { timeout: 1_800_000 }, async (seed) => {
      const random = new Random(seed);
      const relays: GatedRelay[] = [];
      const fleet = await startFleet({
        nodes: 3,
        spares: 3,
        nodeArgs: DURABLE,
        etcd: 3,
        workers: 2,
        config: SOON,
        allowLog: TROUBLE,
        inFront: async (node) => {
          const relay = await startGatedRelay(node.port);
          relays.push(relay);
          return relay.address;
        },
      });
      const [first] = fleet.proxies;
      if (first === undefined) throw new Error('no proxy is running');
      const stillKeys = fillers(5000);
      await fill(first.process, stillKeys.length);
      const checker = new Checker({
        proxies: () => fleet.running,
        clients: 9,
        keysPerClient: 100,
        seed,
        toleratesCuts: true,
        toleratesFailures: true,
        patience: 4000,
      });
      checker.start();
      const rounds = new Rounds(fleet, relays, random);
      const all = allRounds(random);
      const wanted = SEEDS === null ? all.slice(0, FEW) : all;
      for (const round of wanted) {
        const before = checker.acknowledged;
        const startedAt = performance.now();
        await rounds.run(round).catch((error: unknown) => {
          throw new Error(`${describeRound(round)}: ${String(error)}\n${rounds.refusals.slice(-5).join('\n')}`);
        });
        if (process.env.FLEET_TELL) {
          const took = Math.round(performance.now() - startedAt);
          console.log(`${describeRound(round)}: ${took} ms, ${rounds.reached} phases reached until now`);
        }
        expect(checker.violations, describeRound(round)).toEqual([]);
        // A copy that is left behind comes to light as an old value, when its node owns the key again.
        const nodes = [...fleet.nodes, ...fleet.spares];
        const wrong = await fleet.whileSettled(() => verifyStillKeys(nodes, FILLERS, stillKeys));
        expect(wrong, describeRound(round)).toEqual([]);
        await expect.poll(() => checker.acknowledged, { timeout: 60_000 }).toBeGreaterThan(before + 100);
      }
      await checker.stop();
      expect(checker.violations).toEqual([]);
      expect(await checker.verifyAll()).toEqual([]);
      await expectPlaced(fleet);
      // A change may be refused for what has befallen the fleet before; what reaches nothing tests nothing.
      expect(rounds.reached).toBeGreaterThan(wanted.length / 2);
      expect(rounds.refusals.filter((refusal) => /INTERNAL/.test(refusal))).toEqual([]);
    });
  });

  it('two proxies that are asked to add a node at once: one does, the other one says who does', async () => {
    const fleet = await startFleet({ nodes: 3, spares: 2, workers: 2 });
    const rounds = new Rounds(fleet, [], new Random(FIRST_SEED));
    const asked = await rounds.twoAtOnce();
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = asked.find((one) => one.status === 'rejected');
    expect(String(refused?.reason)).toMatch(/CHANGE_RUNNING/);
    expect((await fleet.settled()).nodes).toHaveLength(4);
  });
});
