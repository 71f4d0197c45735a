/**
 * The table "In the terms of CAP" of ARCHITECTURE.md, row by row: a network that is cut, one-way, slow or lossy, between
 * real proxies, nodes and etcd on hosts of their own. What is served, what is refused and how, and that nothing that was
 * acknowledged is lost; then the network heals, and all is as before.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RingView } from '../../src/admin/api.js';
import { Checker, verifyPlacement } from '../consistency/checker.js';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { canJump } from '../support/jumping-clock.js';
import { canMakeNetworks } from '../support/netns/namespace.js';
import { type Host, Network } from '../support/netns/network.js';
import { RawClient } from '../support/raw-client.js';
import { ownersOf, post } from '../support/ring-api.js';

/** Short leases and timeouts, so that the tests are. */
const SOON = [
  ['member-ttl', '2s'],
  ['connect-timeout', '1s'],
  ['request-timeout', '1s'],
  ['probe-interval', '200ms'],
  ['probe-timeout', '1s'],
  ['reconnect-backoff-max', '200ms'],
];
const KEYS = Array.from({ length: 40 }, (_, i) => `cap:${i}`);

describe.skipIf(!canMakeNetworks()).each(['strict', 'available'] as const)('consistency: %s', (consistency) => {
  let network: Network;
  let fleet: Fleet;
  let checker: Checker;

  beforeAll(async () => {
    network = await Network.make();
    fleet = await startFleet({
      network,
      consistency,
      spares: 1,
      etcd: 3,
      clocks: canJump,
      config: SOON.map(([name, value]) => `${name}: ${value}\n`).join(''),
      allowLog: TROUBLE,
    });
    const client = await RawClient.connect(one().port, one().host);
    for (const key of KEYS) expect(await client.text('SET', key, key)).toBe('+OK\r\n');
    client.close();
    checker = new Checker({
      proxies: () => fleet.proxies,
      clients: 6,
      keysPerClient: 100,
      seed: 3,
      toleratesCuts: true,
      toleratesFailures: true,
      patience: 5000,
    });
    checker.start();
  });

  afterEach(async () => {
    await network.heal();
    await whole();
    expect(checker.violations).toEqual([]);
    const before = checker.acknowledged;
    await expect.poll(() => checker.acknowledged).toBeGreaterThan(before + 100);
  });

  // Nothing that was acknowledged is lost, after all of it.
  afterAll(async () => {
    await checker.stop();
    expect(checker.violations).toEqual([]);
    expect(await checker.verifyAll()).toEqual([]);
    const nodes = [...fleet.nodes, ...fleet.spares];
    expect(await verifyPlacement(nodes, (keys) => ownersOf(one(), keys))).toEqual([]);
  });

  /** The proxies in their roles: the one that is cut off decides nothing. */
  function one(): FleetProxy {
    return fleet.proxies[0] as FleetProxy;
  }

  async function bystander(): Promise<FleetProxy> {
    const coordinator = await fleet.coordinator();
    return fleet.proxies.filter((proxy) => proxy !== coordinator)[0] as FleetProxy;
  }

  function placeOf(proxy: FleetProxy): Host {
    if (proxy.place === null) throw new Error(`${proxy.name} has no host of its own`);
    return proxy.place;
  }

  function othersThan(proxy: FleetProxy): FleetProxy[] {
    return fleet.proxies.filter((other) => other !== proxy);
  }

  /** All proxies are members, with leases that hold, and every key is served by each. */
  async function whole(): Promise<void> {
    await fleet.settled();
    await fleet.everyone('the fleet is whole', ({ proxies, coordination, nodes }) => {
      const alive = proxies.filter((proxy) => proxy.alive && !proxy.fencedOff);
      const isMember = alive.some(({ id }) => id === coordination.proxy);
      return alive.length === 3 && proxies.length === 3 && isMember && nodes.every(({ state }) => state === 'active');
    });
    for (const proxy of fleet.proxies) {
      await expect.poll(() => replies(proxy), { timeout: 20_000 }).toEqual({ served: KEYS.length });
    }
  }

  /** What a proxy answers for these keys: `served`, or the first word of its error. */
  async function replies(proxy: FleetProxy, keys: readonly string[] = KEYS): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    const client = await RawClient.connect(proxy.port, proxy.host);
    const found = await client.pipeline(keys.map((key) => ['GET', key]));
    client.close();
    found.forEach((reply, i) => {
      const text = reply.toString();
      const key = keys[i] ?? '';
      const kind = text === `$${key.length}\r\n${key}\r\n` ? 'served' : (/^-(\w+)/.exec(text)?.[1] ?? text);
      counts[kind] = (counts[kind] ?? 0) + 1;
    });
    return counts;
  }

  /** Which of the keys are on a node, and which are not. */
  async function keysOn(address: string): Promise<{ on: string[]; off: string[] }> {
    const owners = await ownersOf((await fleet.coordinator()) as FleetProxy, KEYS);
    return {
      on: KEYS.filter((_key, i) => owners[i] === address),
      off: KEYS.filter((_key, i) => owners[i] !== address),
    };
  }

  /** Adds the spare node, or takes it out: whichever is next. @returns why it was refused, or null when it is done */
  async function change(at: FleetProxy): Promise<string | null> {
    const spare = fleet.addressOf(fleet.spares[0]);
    const isIn = (await at.view()).nodes.some(({ address }) => address === spare);
    const body = isIn
      ? { kind: 'remove', remove: ['spare'] }
      : { kind: 'add', add: [{ name: 'spare', address: spare, weight: 1 }] };
    try {
      await post(at, 'changes', body);
    } catch (error) {
      return String(error);
    }
    const ended = ({ change: running }: RingView): boolean => running === null || running.paused;
    await fleet.everyone('the change has ended, or is paused', ended, [at]);
    const { change: left } = await at.view();
    return left === null ? null : `PAUSED ${left.error}`;
  }

  /** Ends the connections that a proxy has to a node for its clients: it needs new ones. */
  async function endConnections(proxy: FleetProxy, node: number): Promise<void> {
    const redis = fleet.nodes[node]?.client();
    const id = await proxy.id();
    for (const line of String(await redis?.client('LIST')).split('\n')) {
      const [, connection, name] = /^id=(\d+) .* name=(\S*)/.exec(line) ?? [];
      if (connection !== undefined && name === `ringproxy:${id}`) await redis?.client('KILL', 'ID', connection);
    }
  }

  /** `strict`: whoever is cut off from etcd is passed when its lease has run out; `available`: nobody is, and it is named. */
  async function expectPassedOrNamed(cutOff: FleetProxy, id: string): Promise<void> {
    // What the one that is cut off says of the others may be old.
    const asked = othersThan(cutOff)[0] ?? one();
    const refusal = (): Promise<string | null> => change(asked);
    if (consistency === 'strict') await expect.poll(refusal, { timeout: 60_000, interval: 500 }).toBeNull();
    else expect(await refusal()).toContain(id);
  }

  it('a proxy cut from one node', async () => {
    const cutOff = await bystander();
    const [node] = fleet.nodes;
    const { on, off } = await keysOn(fleet.addressOf(node));
    network.cut([placeOf(cutOff)], [fleet.places.nodes[0] as Host]);
    // Once it has noticed.
    await expect.poll(() => replies(cutOff, on), { timeout: 20_000 }).toEqual({ NODEDOWN: on.length });
    expect(await replies(cutOff, off)).toEqual({ served: off.length });
    for (const other of othersThan(cutOff)) expect(await replies(other)).toEqual({ served: KEYS.length });
    // What this proxy has sent to that node may run late, and it cannot make sure that it does not.
    expect((await change(await fleet.coordinator())) ?? 'FENCE').toMatch(/FENCE/);
  });

  it('a proxy cut from etcd', async () => {
    const cutOff = await bystander();
    const id = await cutOff.id();
    const { on } = await keysOn(fleet.addressOf(fleet.nodes[0]));
    network.cut([placeOf(cutOff)], fleet.places.etcd);
    await fleet.everyone('its lease has run out', ({ coordination }) => coordination.leaseSeconds === 0, [cutOff]);
    expect(await replies(cutOff)).toEqual({ served: KEYS.length });
    await endConnections(cutOff, 0);
    await expect
      .poll(() => replies(cutOff, on))
      .toEqual(consistency === 'strict' ? { TRYAGAIN: on.length } : { served: on.length });
    await expectPassedOrNamed(cutOff, id);
  });

  it('a proxy cut from the other proxies', async () => {
    const cutOff = await bystander();
    // Refused, not dropped: on a connection that is there, an answer is waited for as long as a change may take.
    network.cut([placeOf(cutOff)], othersThan(cutOff).map(placeOf), 'reject');
    expect(await replies(cutOff)).toEqual({ served: KEYS.length });
    expect(await change(cutOff)).toMatch(/NO_COORDINATOR|OUTCOME_UNKNOWN/);
    expect(await change(await fleet.coordinator())).toBeNull();
    expect(await replies(cutOff)).toEqual({ served: KEYS.length });
  });

  it('a proxy cut from everything but its clients', async () => {
    const cutOff = await bystander();
    const id = await cutOff.id();
    network.cut([placeOf(cutOff)], [...fleet.places.nodes, ...fleet.places.etcd, ...othersThan(cutOff).map(placeOf)]);
    await expect.poll(async () => (await replies(cutOff)).served ?? 0, { timeout: 20_000 }).toBe(0);
    await expectPassedOrNamed(cutOff, id);
  });

  it('the coordinator cut from etcd', async () => {
    const cutOff = await fleet.coordinator();
    network.cut([placeOf(cutOff)], fleet.places.etcd);
    const id = await cutOff.id();
    await fleet.everyone(
      'another one coordinates',
      ({ proxies }) => proxies.some((proxy) => proxy.coordinator && proxy.id !== id),
      othersThan(cutOff),
    );
    await expectPassedOrNamed(cutOff, id);
  });

  it('nodes cut from each other', async () => {
    const nodes = fleet.places.nodes;
    nodes.forEach((node, i) => {
      if (i + 1 < nodes.length) network.cut([node], nodes.slice(i + 1));
    });
    expect(await change(await fleet.coordinator())).toBeNull();
    expect(await replies(one())).toEqual({ served: KEYS.length });
  });

  it('an etcd without a majority', async () => {
    const [first, second, third] = fleet.places.etcd as [Host, Host, Host];
    network.cut([first], [second, third]);
    network.cut([second], [third]);
    await fleet.everyone('every lease has run out', ({ coordination }) => coordination.leaseSeconds === 0);
    for (const proxy of fleet.proxies) expect(await replies(proxy)).toEqual({ served: KEYS.length });
    expect(await change(one())).toMatch(/ETCD|etcd|NO_COORDINATOR|COORDINATOR_LOST/);
  });

  it.each(['there', 'back'] as const)('packets between a proxy and a node are lost one way (%s)', async (way) => {
    const cutOff = await bystander();
    const { on, off } = await keysOn(fleet.addressOf(fleet.nodes[0]));
    const [from, to] = [[placeOf(cutOff)], [fleet.places.nodes[0] as Host]];
    network.cutOneWay(way === 'there' ? from : to, way === 'there' ? to : from);
    await expect.poll(() => replies(cutOff, on), { timeout: 20_000 }).toEqual({ NODEDOWN: on.length });
    expect(await replies(cutOff, off)).toEqual({ served: off.length });
  });

  it('a proxy that is 200 ms away from everything', async () => {
    const far = await bystander();
    await network.delay(placeOf(far), 100);
    // A probe that was under way may have come too late, once.
    await expect.poll(() => replies(far), { timeout: 20_000 }).toEqual({ served: KEYS.length });
    expect(await change(await fleet.coordinator())).toBeNull();
  });

  it('a proxy that loses one in twenty packets', async () => {
    const lossy = await bystander();
    const loss = network.lose(placeOf(lossy), 5);
    // It may not be done in time; then it is given up, or it stands still and says why.
    const coordinator = await fleet.coordinator();
    const outcome = (await change(coordinator)) ?? 'FENCE';
    expect(outcome).toMatch(/FENCE|ETCD|COORDINATOR|PAUSED moving keys off /);
    expect(loss.packets).toBeGreaterThan(0);
    if (!outcome.startsWith('PAUSED')) return;
    await network.heal();
    await post(coordinator, 'changes/current/resume');
    await fleet.everyone('the change that was resumed has ended', ({ change: running }) => running === null);
  });

  it.skipIf(!canJump)('clocks that jump by an hour, ahead and back', async () => {
    const ids = await Promise.all(fleet.proxies.map((proxy) => proxy.id()));
    const [ahead, back] = fleet.proxies as [FleetProxy, FleetProxy];
    ahead.clock?.jump(3600);
    back.clock?.jump(-3600);
    // One whose clock jumps ahead may have been suspended: it takes its lease for doubtful until it is renewed.
    await expect.poll(() => change(ahead), { timeout: 20_000 }).toBeNull();
    for (const proxy of fleet.proxies) {
      proxy.clock?.jump(0);
      expect(await replies(proxy)).toEqual({ served: KEYS.length });
    }
    // Leases are counted by a clock that does not jump: nobody had to register anew.
    expect(await Promise.all(fleet.proxies.map((proxy) => proxy.id()))).toEqual(ids);
  });
});
