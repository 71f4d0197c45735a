import { loadConfig } from '../../src/config/load.js';
import { LocalPlane } from '../../src/plane/local.js';
import { type DataPlaneSettings, pickDataPlaneSettings } from '../../src/proxy/settings.js';
import type { RoutingSnapshot } from '../../src/proxy/snapshot.js';
import { lateKiller } from '../../src/rebalance/connections.js';
import { buildRingSync } from '../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS } from '../../src/ring/ring.js';
import { Rings } from '../../src/ring/rings.js';
import { atEnd } from '../support/cleanup.js';
import { FakeStanding } from '../support/fake-standing.js';
import { FaultRelay } from '../support/fault-relay.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

/** A data plane in this process, in front of one real node, with a network between them that remembers what came. */
export interface PlaneStage {
  readonly plane: LocalPlane;
  readonly standing: FakeStanding;
  readonly redis: RedisProcess;
  readonly net: FaultRelay;
  client(): Promise<RawClient>;
}

/** The ring of one node, `node1`. */
export function snapshotOf(address: string, generation = 1): RoutingSnapshot {
  const node = { id: 0, name: 'node1', address, weight: 1, username: '', password: '' };
  const rings = new Rings(buildRingSync([node], DEFAULT_RING_OPTIONS), null);
  return { generation, phase: 'stable', rings, moves: null, nodes: [node] };
}

/** Its proxy's id is `f00d`. */
export async function stagePlane(settings: Partial<DataPlaneSettings> = {}): Promise<PlaneStage> {
  const redis = await startRedis();
  const net = await FaultRelay.start(redis.port);
  const standing = new FakeStanding('f00d');
  const defaults = pickDataPlaneSettings(loadConfig({ flags: { nodes: [`node1=${net.address}`] } }));
  const listen = { host: '127.0.0.1', port: 0 };
  const plane = new LocalPlane(
    {
      ...defaults,
      connectTimeout: 10_000,
      preconnect: false,
      ...settings,
      listen,
      proxyId: 'f00d',
      version: '1',
      standing,
    },
    lateKiller(2000),
    () => Promise.resolve(),
    null,
  );
  const address = await plane.listen();
  atEnd(() => plane.close(0));
  plane.publish(snapshotOf(net.address));
  const port = Number(address.split(':').at(-1));
  return { plane, standing, redis, net, client: () => RawClient.connect(port) };
}
