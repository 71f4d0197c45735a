/** What is measured of a fleet. */
import type { CoordinationView, ProxyView } from '../admin/api.js';
import type { HistogramData } from '../proxy/measure/histogram.js';

/** How a proxy sees its fleet at a moment. One that is alone is the only member of its own. */
export interface FleetFigures {
  /** Members whose lease holds; whose lease has run out, but for whom fences wait; that may not speak to nodes any more. */
  readonly members: { readonly alive: number; readonly away: number; readonly fenced: number };
  /** This proxy decides about the ring. */
  readonly isCoordinator: boolean;
  /** What this proxy does for the fleet, without deciding. */
  readonly jobs: readonly string[];
  /** Generations by which this proxy's routing is behind the newest that it has heard of from anybody. */
  readonly generationLag: number;
  /** Seconds for which its lease holds yet; null: it needs none. */
  readonly leaseSeconds: number | null;
}

/** What this proxy has asked of etcd since its start. */
export interface EtcdFigures {
  readonly isReachable: boolean;
  readonly requests: readonly { readonly operation: string; readonly ok: number; readonly errors: number }[];
  readonly time: HistogramData;
  readonly leaseRenewals: { readonly ok: number; readonly errors: number };
  /** Times that the watch was cut, and begun anew. */
  readonly watchRestarts: number;
}

/** What this proxy has told the others and heard of them since its start, and what it has by now. */
export interface SoftStateFigures {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of each peer: for how many seconds something that it has not acknowledged has waited; 0: it has everything. */
  readonly lagOf: ReadonlyMap<string, number>;
  /** Writes of two proxies at the same entry of which one was dropped. */
  readonly conflicts: number;
  readonly entries: number;
  readonly tombstones: number;
  /** Bytes that the entries take, estimated. */
  readonly bytes: number;
  /** Buckets that a comparison of digests has found to differ. */
  readonly repairs: number;
}

/** Null: the proxy has no such thing. */
export interface FleetReads {
  readonly fleet: () => FleetFigures;
  readonly etcd: () => EtcdFigures | null;
  readonly softState: () => SoftStateFigures | null;
}

/** @param generation that this proxy routes by */
export function fleetFigures(
  proxies: readonly ProxyView[],
  { proxy, leaseSeconds }: CoordinationView,
  generation: number,
): FleetFigures {
  const own = proxies.find(({ id }) => id === proxy);
  const count = (has: (view: ProxyView) => boolean): number => proxies.filter(has).length;
  return {
    members: {
      alive: count(({ alive, fencedOff }) => alive && !fencedOff),
      away: count(({ alive, fencedOff }) => !alive && !fencedOff),
      fenced: count(({ fencedOff }) => fencedOff),
    },
    isCoordinator: own?.coordinator ?? false,
    jobs: own?.jobs ?? [],
    generationLag: Math.max(0, ...proxies.map((view) => view.generation - generation)),
    leaseSeconds,
  };
}
