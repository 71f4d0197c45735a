/**
 * A master that three Sentinels look after, as one of three nodes of three proxies with etcd, each in a host of its own.
 * It fails over, again and again, while one proxy is cut off from whatever could tell it. No proxy is answered by a former
 * master once another one was answered by the new one, and of acknowledged writes no more is lost than that had not
 * replicated.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../fuzz/random.js';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { canMakeNetworks } from '../support/netns/namespace.js';
import { type Host, Network } from '../support/netns/network.js';
import type { RedisProcess } from '../support/redis-process.js';
import { ownersOf } from '../support/ring-api.js';
import { until, type Watched, watchOver } from '../support/sentinels.js';
import { OneMasterChecker } from './one-master.js';

const CONFIG = `
member-ttl: 2s
connect-timeout: 500ms
request-timeout: 1s
probe-interval: 200ms
probe-timeout: 500ms
reconnect-backoff-max: 200ms
`;

/** `FAILOVERS=8 CHECK_SEED=5 npx vitest run …`: so many more, drawn by this seed. */
const ROUNDS = Number(process.env.FAILOVERS ?? 0);
const SEED = Number(process.env.CHECK_SEED ?? 1);
const SERVED_MS = 20_000;
/** A former master that goes on answers over connections that it still has, until Sentinels make it a replica. Milliseconds. */
const AWAKE_MS = 1000;
const FAULTS = ['killed', 'stalled', 'asked for'] as const;
const CUTS = ['nothing', 'Sentinels', 'etcd', 'the master', 'all but nodes', 'Sentinels and etcd'] as const;

const WAKES = ['before others are served', 'when others are served', 'at the end'] as const;

describe.skipIf(!canMakeNetworks())('a node that fails over in a fleet', () => {
  let network: Network;
  let fleet: Fleet;
  let watched: Watched;
  let checker: OneMasterChecker;
  let sentinelHosts: Host[];
  let hostOf: Map<RedisProcess, Host>;

  beforeAll(async () => {
    network = await Network.make();
    const replicas = [await network.host('replica1'), await network.host('replica2')];
    sentinelHosts = [await network.host('s1'), await network.host('s2'), await network.host('s3')];
    let isFirst = true;
    fleet = await startFleet({
      ...{ network, config: CONFIG, allowLog: [...TROUBLE, /node\d/, /ringproxy:node/] },
      async inFront(node) {
        if (!isFirst) return node.address;
        isFirst = false;
        watched = await watchOver(node, { replicas: 2, hosts: { replicas, sentinels: sentinelHosts } });
        return watched.address;
      },
    });
    hostOf = new Map(
      watched.servers.map((server, i) => [server, [...fleet.places.nodes.slice(0, 1), ...replicas][i] as Host]),
    );
    const tags = Array.from({ length: 50 }, (_, i) => `tag${i}`);
    const owners = await ownersOf(fleet.proxies[0] as FleetProxy, tags);
    const tag =
      tags.find((_tag, i) => owners[i] === watched.servers[0]?.address || owners[i] === watched.address) ?? '';
    checker = new OneMasterChecker({ proxies: () => fleet.proxies, tag, patience: 3000 });
    checker.start();
  });

  afterAll(() => checker.stop());

  const placesOf = (proxies: readonly FleetProxy[]): Host[] => proxies.map(({ place }) => place as Host);

  function cut(what: (typeof CUTS)[number], proxy: FleetProxy, master: RedisProcess): void {
    const others = placesOf(fleet.proxies.filter((other) => other !== proxy));
    const sides = {
      nothing: [],
      Sentinels: sentinelHosts,
      etcd: fleet.places.etcd,
      'the master': [hostOf.get(master) as Host],
      'all but nodes': [...sentinelHosts, ...fleet.places.etcd, ...others],
      'Sentinels and etcd': [...sentinelHosts, ...fleet.places.etcd],
    }[what];
    if (sides.length > 0) network.cut(placesOf([proxy]), sides);
  }

  /** The master fails. @returns what makes it a server again */
  async function fail(how: (typeof FAULTS)[number], master: RedisProcess): Promise<() => Promise<unknown>> {
    if (how === 'asked for') {
      await watched.failOver();
      return () => Promise.resolve();
    }
    if (how === 'stalled') {
      master.kill('SIGSTOP');
      return async () => master.kill('SIGCONT');
    }
    master.kill('SIGKILL');
    await master.stop();
    return () => master.start();
  }

  /** Waits until all Sentinels say the same, and replicas follow; they may fail over once more meanwhile. @returns the master */
  async function calm(): Promise<RedisProcess> {
    let master = await watched.master();
    await until(async () => {
      master = await watched.master();
      const said = await Promise.all(
        watched.sentinels.map(async (sentinel) => {
          const fields = (await sentinel.client().call('SENTINEL', 'MASTER', 'cache')) as string[];
          return `${fields[fields.indexOf('port') + 1]} ${fields[fields.indexOf('flags') + 1]}`;
        }),
      );
      if (!said.every((one) => one === `${master.port} master`)) return false;
      const info = await master.client().info('replication');
      return (info.match(/state=online/g) ?? []).length === 2;
    }, 40_000);
    return master;
  }

  interface Failing {
    readonly how: (typeof FAULTS)[number];
    /** What one of the proxies is cut off from. */
    readonly from: (typeof CUTS)[number];
    readonly proxy: FleetProxy;
    /** It is cut off before the master fails. */
    readonly early: boolean;
    /** When the master that was stalled goes on: while that proxy is cut off, or when it is not any more. */
    readonly wakes: (typeof WAKES)[number];
  }

  async function failOver({ how, from, proxy, early, wakes }: Failing): Promise<void> {
    const master = await calm();
    await checker.begin(SERVED_MS);
    if (early) cut(from, proxy, master);
    const revive = await fail(how, master);
    if (!early) cut(from, proxy, master);
    if (wakes === 'before others are served') {
      await until(async () => (await watched.master()) !== master);
      await revive();
    }
    const others = fleet.proxies.flatMap((other, i) => (other === proxy && from !== 'nothing' ? [] : [i]));
    await checker.served(others, SERVED_MS);
    if (wakes === 'when others are served') {
      await revive();
      await new Promise((resolve) => setTimeout(resolve, AWAKE_MS));
    }
    await network.heal();
    if (wakes === 'at the end') await revive();
    await checker.served([0, 1, 2], SERVED_MS);
    const next = await calm();
    await checker.look((keys) => next.client().mget([...keys]));
    expect(checker.violations).toEqual([]);
  }

  it('is at one server at a time when a master that is well is left, and one proxy hears of no Sentinel', async () => {
    const [proxy] = fleet.proxies as [FleetProxy];
    await failOver({ how: 'asked for', from: 'Sentinels', proxy, early: true, wakes: 'at the end' });
    expect(checker.answered).toBeGreaterThan(100);
  });

  it('is at one server at a time when a master stalls and goes on, and one proxy hears of nobody', async () => {
    const [, proxy] = fleet.proxies as [FleetProxy, FleetProxy];
    await failOver({ how: 'stalled', from: 'all but nodes', proxy, early: true, wakes: 'when others are served' });
  });

  it.runIf(ROUNDS > 0)('is at one server at a time, whatever happens', { timeout: ROUNDS * 60_000 }, async () => {
    const random = new Random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const how = FAULTS[(round + SEED) % FAULTS.length] as (typeof FAULTS)[number];
      const failing = {
        ...{ how, from: random.pick(CUTS), proxy: random.pick(fleet.proxies), early: random.chance(50) },
        wakes: how === 'stalled' ? random.pick(WAKES) : 'at the end',
      };
      const story = `round ${round} of seed ${SEED}: ${JSON.stringify({ ...failing, proxy: failing.proxy.name })}`;
      await failOver(failing).catch((error: unknown) => {
        throw new Error(`${story}; ${checker.violations.slice(0, 5).join('; ')}; ${checker.story()}`, { cause: error });
      });
    }
  });
});
