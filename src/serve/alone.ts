/** Composition: the fleet of a proxy that is alone with its ring. */
import type { FleetPort } from '../admin/backend.js';
import type { ProxyIdentity } from '../identity.js';
import type { RingManager } from '../topology/ring-manager.js';

export interface AloneNeeds {
  readonly identity: ProxyIdentity;
  readonly ring: Pick<RingManager, 'generation' | 'phase' | 'view'>;
  readonly workers: () => number;
  /** URL of the admin API. */
  readonly admin: () => string;
}

export function aloneFleet({ identity, ring, workers, admin }: AloneNeeds): FleetPort {
  const { proxyId: id, version } = identity;
  return {
    proxies: () => [
      {
        id,
        admin: admin(),
        alive: true,
        generation: ring.generation,
        phase: ring.phase,
        workers: workers(),
        version,
        fencedOff: false,
        coordinator: true,
        jobs: [],
        startedAt: new Date(identity.startedAt).toISOString(),
        load: null,
      },
    ],
    coordination: () => ({
      kind: 'none',
      proxy: id,
      consistency: 'strict',
      reachable: true,
      unreachableSince: null,
      leaseSeconds: null,
      trouble: null,
    }),
    downFor: ({ state }) => (state === 'down' ? [id] : []),
  };
}
