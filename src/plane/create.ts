import type { NodeEndpoint } from '../node/endpoint.js';
import { killByName, lateKiller } from '../rebalance/connections.js';
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
  /** @see DataPlaneHooks.beforeReturn */
  readonly beforeReturn: (node: NodeEndpoint) => Promise<void>;
  readonly warn: (message: string) => void;
}

/** The data plane in this process, or in several. */
export function createPlane({ workers, plane, standing, beforeReturn, warn }: PlaneOptions): PlaneHost {
  const { connectTimeout } = plane;
  const killLate = lateKiller(connectTimeout);
  if (workers === 1) return new LocalPlane({ ...plane, standing }, killLate, beforeReturn);
  return new WorkerPool({
    workers,
    plane,
    standing,
    killLate,
    killNamed: (nodes, isGone) => killByName(nodes, isGone, connectTimeout),
    warn,
    beforeReturn,
    open: forkWorker,
  });
}
