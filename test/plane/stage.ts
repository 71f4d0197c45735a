import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.js';
import type { PlaneHost } from '../../src/plane/host.js';
import { LocalPlane } from '../../src/plane/local.js';
import type { OpenChannel } from '../../src/plane/workers/primary/channel.js';
import { WorkerPool } from '../../src/plane/workers/primary/worker-pool.js';
import { type DataPlaneSettings, pickDataPlaneSettings } from '../../src/proxy/settings.js';
import type { RoutingSnapshot } from '../../src/proxy/snapshot.js';
import { killByName, lateKiller } from '../../src/rebalance/connections.js';
import { buildRingSync } from '../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS } from '../../src/ring/ring.js';
import { Rings } from '../../src/ring/rings.js';
import { atEnd } from '../support/cleanup.js';
import { FakeStanding } from '../support/fake-standing.js';
import { FaultRelay } from '../support/fault-relay.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { ROOT } from '../support/root.js';

/** A data plane in front of one real node, with a network between them that remembers what came. */
export interface PlaneStage {
  readonly plane: PlaneHost;
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

/** Starts a worker of the build. */
async function forkBuilt(): Promise<OpenChannel> {
  const program: { readonly forkWorker: OpenChannel } = await import(
    join(ROOT, 'dist/src/plane/workers/primary/fork-worker.js')
  );
  return program.forkWorker;
}

/** Its proxy's id is `f00d`. @param workers more than one: processes of the build, so that must be there */
export async function stagePlane(settings: Partial<DataPlaneSettings> = {}, workers = 1): Promise<PlaneStage> {
  const redis = await startRedis();
  const net = await FaultRelay.start(redis.port);
  const standing = new FakeStanding('f00d');
  const defaults = pickDataPlaneSettings(loadConfig({ flags: { nodes: [`node1=${net.address}`] } }));
  const listen = { host: '127.0.0.1', port: 0 };
  const given = { connectTimeout: 10_000, preconnect: false, ...settings };
  const options = { ...defaults, ...given, listen, tls: null, proxyId: 'f00d', version: '1' };
  const killLate = lateKiller(2000);
  const beforeReturn = (): Promise<void> => Promise.resolve();
  const plane =
    workers === 1
      ? new LocalPlane({ ...options, standing }, killLate, beforeReturn, null)
      : new WorkerPool({
          ...{ workers, plane: options, standing, killLate, beforeReturn, open: await forkBuilt() },
          killNamed: (nodes, isGone) => killByName(nodes, isGone, 2000),
          warn: () => {},
          fleet: null,
        });
  const address = String(await plane.listen());
  atEnd(() => plane.close(0));
  plane.publish(snapshotOf(net.address));
  const port = Number(address.split(':').at(-1));
  return { plane, standing, redis, net, client: () => RawClient.connect(port) };
}
