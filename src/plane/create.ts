import type { NodeEndpoint } from '../node/endpoint.js';
import { killByName, lateKiller } from '../rebalance/connections.js';
import type { FleetLink } from './fleet-link.js';
import type { PlaneHost, PlaneStanding } from './host.js';
import { LocalPlane } from './local.js';
import type { WorkerOptions } from './workers/messages.js';
import { forkWorker } from './workers/primary/fork-worker.js';
import { WorkerPool } from './workers/primary/worker-pool.js';

export interface PlaneOptions {
  /** How many processes serve clients; 1: this one. */
  readonly workers: number;
  readonly plane: WorkerOptions;
  /** By what right this proxy speaks to nodes. */
  readonly standing: PlaneStanding;
  /** Other proxies of the ring; null: this one is alone. */
  readonly fleet: FleetLink | null;
  /** @see DataPlaneHooks.beforeReturn */
  readonly beforeReturn: (node: NodeEndpoint) => Promise<void>;
  readonly warn: (message: string) => void;
}

/** The data plane in this process, or in several. */
export function createPlane({ workers, plane, standing, fleet, beforeReturn, warn }: PlaneOptions): PlaneHost {
  const { connectTimeout } = plane;
  const killLate = lateKiller(connectTimeout);
  if (workers === 1) return new LocalPlane({ ...plane, standing }, killLate, beforeReturn, fleet);
  return new WorkerPool({
    workers,
    plane,
    standing,
    fleet,
    killLate,
    killNamed: (nodes, isGone) => killByName(nodes, isGone, connectTimeout),
    warn,
    beforeReturn,
    open: forkWorker,
  });
}
