/**
 * Nodes that fail, and come back, in a fleet of three proxies with a network of its own: killed, stalled, and cut off
 * from one proxy, from all, or together with a proxy. Clients at every proxy never read a value that is older than what
 * was acknowledged, and what is acknowledged behind an ejection is kept. Replicated keys, which are on no node, notice
 * nothing of all that.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RingView } from '../../src/admin/api.js';
import { COUNTED, Counting } from '../consistency/counting.js';
import { FreshnessChecker } from '../consistency/freshness.js';
import { Random } from '../fuzz/random.js';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { canMakeNetworks } from '../support/netns/namespace.js';
import { type Host, Network } from '../support/netns/network.js';
import type { RedisProcess } from '../support/redis-process.js';
import { headersFor, ownersOf } from '../support/ring-api.js';

const CONFIG = `${COUNTED}
on-node-failure: eject
eject-after: 500ms
rejoin-after: 300ms
rejoin-after-max: 300ms
member-ttl: 2s
connect-timeout: 500ms
request-timeout: 1s
probe-interval: 100ms
probe-timeout: 500ms
probe-failures: 2
reconnect-backoff-max: 200ms
`;

/** `FLAPS=20 CHECK_SEED=5 npx vitest run test/fleet/ejection.test.ts`: so many rounds of random faults, by this seed. */
const ROUNDS = Number(process.env.FLAPS ?? 2);
const SEED = Number(process.env.CHECK_SEED ?? 1);
const FAULTS = ['is killed', 'stalls', 'is cut off'] as const;

describe.skipIf(!canMakeNetworks())('three proxies', () => {
  let network: Network;
  let fleet: Fleet;
  let checker: FreshnessChecker;
  let counting: Counting;
  /** Whom the proxies have been: one that was fenced off is another member afterwards. */
  const members = new Set<string>();
  let node: RedisProcess;
  let place: Host;

  beforeAll(async () => {
    network = await Network.make();
    fleet = await startFleet({ network, config: CONFIG, allowLog: [...TROUBLE, /node\d/, /eject/] });
    [, node] = fleet.nodes as [RedisProcess, RedisProcess];
    [, place] = fleet.places.nodes as [Host, Host];
    checker = new FreshnessChecker({ proxies: () => fleet.proxies, keys: 120, patience: 20_000 });
    checker.start();
    counting = new Counting(fleet.proxies);
    await counting.start();
  });

  function isWhole({ nodes, change, proxies }: RingView): boolean {
    const areUp = nodes.length === 3 && nodes.every(({ state, downFor }) => state === 'active' && downFor.length === 0);
    // Nor one that was passed over, whose connections the nodes have not dropped yet: a silent node would wait for it.
    return change === null && areUp && proxies.length === 3 && proxies.every(({ alive }) => alive);
  }

  async function whole(): Promise<void> {
    await network.heal();
    const first = fleet.proxies[0] as FleetProxy;
    let generation = 0;
    do {
      await fleet.everyone('the ring is whole', isWhole);
      generation = (await first.view()).generation;
      // Twice as long as the judge takes from one look to the next: an ejection that it asks for by what it had heard
      // before has begun by then.
      await new Promise((resolve) => setTimeout(resolve, 1000));
    } while (!isWhole(await first.view()) || (await first.view()).generation !== generation);
    await checker.settle();
    expect(checker.violations).toEqual([]);
    for (const proxy of fleet.proxies) members.add(await proxy.id());
  }

  afterEach(whole);

  afterAll(async () => {
    await checker.stop();
    expect(checker.violations).toEqual([]);
    expect(checker.lost).toBeGreaterThan(0);
  });

  const others = (proxy: FleetProxy): FleetProxy[] => fleet.proxies.filter((other) => other !== proxy);
  const placeOf = (proxy: FleetProxy): Host => proxy.place as Host;
  const isOut = ({ nodes }: RingView): boolean => nodes.some(({ state }) => state === 'ejected');

  async function keysOfNode(): Promise<string[]> {
    const owners = await ownersOf(fleet.proxies[0] as FleetProxy, checker.names);
    return checker.names.filter((_name, i) => owners[i] === fleet.addressOf(node));
  }

  /** The node fails. @returns when it is ejected, and every key is served again */
  async function ejected(fail: () => unknown): Promise<void> {
    await checker.settle('all keys');
    checker.mayLose(await keysOfNode());
    await fail();
    await fleet.everyone('the node is ejected', (view) => isOut(view) && view.change === null);
    await checker.settle();
    expect(checker.violations).toEqual([]);
  }

  it('a node that is killed, and comes back with what it had', async () => {
    // The snapshot is to have something that is old later.
    await checker.settle('all keys');
    await node.client().save();
    await ejected(() => node.stop());
    await node.start();
    expect(await node.client().dbsize()).toBeGreaterThan(0);
  });

  it('a node that is started again at once with what it had', async () => {
    const [first] = fleet.proxies as [FleetProxy];
    const timesEmptied = (): number =>
      first.process.log.filter(({ msg }) => /was emptied, and serves/.test(msg)).length;
    await checker.settle('all keys');
    await node.client().save();
    await checker.settle('all keys');
    checker.mayLose(await keysOfNode());
    const before = timesEmptied();
    const { generation } = await first.view();
    await node.restart();
    // Emptied where it stands; or ejected, where not every proxy says in time that it has seen it.
    await fleet.everyone('it is dealt with', (view) => timesEmptied() > before || view.generation > generation, [
      first,
    ]);
  });

  it('a node that stalls, and goes on with what lay in its connections', async () => {
    await ejected(() => node.kill('SIGSTOP'));
    node.kill('SIGCONT');
  });

  it('a node that is cut off from all proxies, lives on, and is written to past them', async () => {
    const [key = ''] = await keysOfNode();
    await ejected(() => network.cut([place], fleet.proxies.map(placeOf)));
    await node.client().set(key, '0');
  });

  it('a node that is cut off from two of three proxies: what the third one has there is of no use any more', async () => {
    await ejected(() => network.cut([place], fleet.proxies.slice(1).map(placeOf)));
  });

  it('a node that is cut off from one proxy stays', async () => {
    const [proxy] = fleet.proxies as [FleetProxy];
    const { generation } = await proxy.view();
    network.cut([place], [placeOf(proxy)]);
    await fleet.everyone('it is down there', ({ nodes }) => nodes.some(({ state }) => state === 'down'), [proxy]);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const other of others(proxy)) {
      expect((await other.view()).generation).toBe(generation);
      expect(isOut(await other.view())).toBe(false);
    }
  });

  it('a proxy that is cut off from all nodes ejects none', async () => {
    const [proxy] = fleet.proxies as [FleetProxy];
    const { generation } = await proxy.view();
    network.cut([placeOf(proxy)], fleet.places.nodes);
    const areDown = ({ nodes }: RingView): boolean => nodes.every(({ state }) => state === 'down');
    await fleet.everyone('they are down there', areDown, [proxy]);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect((await proxy.view()).generation).toBe(generation);
  });

  it('a node that is cut off together with a proxy stays: that one may serve its clients from it', async () => {
    const [first] = fleet.proxies as [FleetProxy];
    const { generation } = await first.view();
    const jobs = (await first.view()).proxies.map((member) => [member.id, member.coordinator, member.jobs] as const);
    const judge = jobs.find(([, , names]) => names.includes('ejection'))?.[0];
    const cutOff = (await Promise.all(fleet.proxies.map(async (proxy) => ({ proxy, id: await proxy.id() }))))
      .filter(({ id }) => id !== judge && jobs.find(([other]) => other === id)?.[1] === false)
      .map(({ proxy }) => proxy)[0] as FleetProxy;
    // When the proxy is back before the node is seen to be, that one is ejected after all.
    checker.mayLose(await keysOfNode());
    network.cut([placeOf(cutOff)], [...fleet.places.etcd, ...others(cutOff).map(placeOf)]);
    network.cut([place], others(cutOff).map(placeOf));
    const isDown = ({ nodes, proxies }: RingView): boolean =>
      nodes.some(({ state }) => state === 'down') && proxies.some(({ alive, fencedOff }) => !alive || fencedOff);
    await fleet.everyone('both are missing', isDown, others(cutOff));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const other of others(cutOff)) expect((await other.view()).generation).toBe(generation);
    expect(isOut(await first.view())).toBe(false);
  });

  it('tells it: history, metrics', async () => {
    const [proxy] = fleet.proxies as [FleetProxy];
    const get = async (path: string): Promise<string> =>
      (await fetch(`${proxy.admin}${path}`, { headers: headersFor(proxy) })).text();
    const history = JSON.parse(await get('/v1/ring/history')) as {
      kind: string;
      who: string | null;
      summary: string;
    }[];
    const ejections = history.filter(({ kind }) => kind === 'eject');
    expect(ejections.length).toBeGreaterThanOrEqual(4);
    expect(ejections.every(({ who }) => who === 'the fleet')).toBe(true);
    // Who saw it down, since when and why.
    const cutOffFromTwo = ejections.find(({ summary }) => summary.includes('for 2 of 3 proxies'))?.summary ?? '';
    expect(cutOffFromTwo.match(/\w+ since 20\S+Z: [^;]+;/g)).toHaveLength(2);
    expect([...members].some((id) => cutOffFromTwo.endsWith(`${id} is answered)`))).toBe(true);
    expect(history.filter(({ kind }) => kind === 'return')).toHaveLength(ejections.length);
    const metrics = await get('/metrics');
    expect(metrics).toContain(`ringproxy_node_ejections_total{node="node2"} ${ejections.length}\n`);
    expect(metrics).toMatch(/^ringproxy_node_ejected\{node="node2"\} 0$/m);
  });

  it('a node that fails and returns in any way, over and over, beside proxies that notice it late', async () => {
    const random = new Random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const fails = FAULTS[(round + SEED) % FAULTS.length] as (typeof FAULTS)[number];
      // A node that is silent stays while a proxy is dead: that one may live on with it.
      const late = fails === 'is killed' ? random.pick(fleet.proxies) : null;
      const story = [fails, late === null ? '' : `${late.name} stands still`];
      const isSaved = random.chance(50);
      if (isSaved) await node.client().save();
      else node.forgetDisk();
      await checker.settle('all keys');
      checker.mayLose(await keysOfNode());
      if (fails === 'is killed') {
        late?.stall();
        await node.stop();
      } else if (fails === 'stalls') node.kill('SIGSTOP');
      else network.cut([place], random.pick([fleet.proxies, fleet.proxies.slice(1)]).map(placeOf));
      const noticing = fleet.proxies.filter((proxy) => proxy !== late);
      await fleet.everyone('the node is ejected', (view) => isOut(view) && view.change === null, noticing);

      const wakesFirst = random.chance(50);
      if (wakesFirst) late?.goOn();
      const returns = random.pick(
        fails === 'is killed' ? ['as ever', isSaved ? 'loading' : 'empty'] : ['as ever', 'anew'],
      );
      story.push(returns, wakesFirst ? 'the proxy first' : 'the node first');
      if (fails === 'is killed') await (returns === 'loading' ? node.startLoading(5000) : node.start());
      else if (returns === 'anew') await node.restart();
      else node.kill('SIGCONT');
      if (!wakesFirst) late?.goOn();
      await network.heal();
      if (random.chance(50)) {
        story.push('fails again as it returns');
        const isComing = ({ change, nodes }: RingView): boolean =>
          change?.kind === 'return' || nodes.filter(({ state }) => state === 'active').length === 3;
        await fleet.someone('it returns', isComing);
        await node.stop();
        await fleet.everyone('it is ejected again', (view) => isOut(view) && view.change === null);
        await node.start();
      }
      await whole().catch((error: unknown) => {
        throw new Error(`round ${round} of seed ${SEED}: ${story.join(', ')}`, { cause: error });
      });
      expect([story, checker.violations]).toEqual([story, []]);
    }
  });

  it('replicated keys have noticed nothing of all that: all is counted, at each proxy', () => counting.stop());
});
