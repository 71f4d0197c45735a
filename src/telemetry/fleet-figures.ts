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

/** Fences that this proxy has seen since its start. */
export interface FenceFigures {
  readonly passed: number;
  readonly givenUp: number;
  /** For which they stood. */
  readonly time: HistogramData;
}

/** What this proxy has asked of etcd since its start. */
export interface EtcdFigures {
  readonly isReachable: boolean;
  /** Watches among them; each one after the first took the place of one that was cut. */
  readonly requests: readonly { readonly operation: string; readonly outcome: string; readonly count: number }[];
  /** Until an answer; without watches. */
  readonly time: HistogramData;
}

/** What this proxy has told the others and heard of them since its start, and what it has by now. */
export interface SoftStateFigures {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Questions to others, and those that were not answered as they should be. */
  readonly exchanges: number;
  readonly failures: number;
  /** What came and was not taken: no message, or too large. */
  readonly refused: number;
  /** Parts that should have been equal at two proxies, were not, and were mended. */
  readonly conflicts: number;
  /** Stamps that were too far ahead of this machine's clock. */
  readonly drifted: number;
  readonly entries: number;
  readonly tombstones: number;
  /** Of each other proxy: seconds since something was heard of it. */
  readonly lags: ReadonlyMap<string, number>;
}

/** What this proxy and the others have told each other of the values that all of them have. */
export interface ValueFigures {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly questions: number;
  readonly failures: number;
  /** What came and was no message. */
  readonly refused: number;
  /** Parts that were not as another proxy had them, and were exchanged. */
  readonly repairs: number;
  /** How late the last news were that came. Seconds. */
  readonly lag: number;
}

/** Null: the proxy has no such thing. */
export interface FleetReads {
  readonly fleet: () => FleetFigures;
  readonly fences: () => FenceFigures;
  readonly etcd: () => EtcdFigures | null;
  readonly softState: () => SoftStateFigures | null;
  readonly values: () => ValueFigures | null;
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
