/** What operators read of a fleet. */
import type { CoordinationView, ProxyLoad, ProxyView, RingPhase } from '../../admin/api.js';
import type { FleetMember } from '../state/fleet.js';
import { phaseOf } from '../state/transitions.js';
import { COORDINATOR } from '../store/ring-store.js';
import { shownPhase } from './change-view.js';
import type { SeenFleet } from './fleet-sight.js';

/** What a proxy has told of itself lately. */
export interface ProxyNews {
  /** That it routes by. */
  readonly generation: number;
  readonly phase: RingPhase;
  readonly load: ProxyLoad | null;
}

/** What is known beside the store. @param id a proxy's; also this one's. @returns null: it has told nothing */
export type NewsOf = (id: string) => ProxyNews | null;

/** Every proxy that has registered and was not forgotten, this one first; of those of before only the id is known. */
export function describeProxies(seen: SeenFleet, newsOf: NewsOf): ProxyView[] {
  const known = seen.members.filter(({ info }) => info !== null);
  const others = known.filter(({ id }) => id !== seen.self).sort((a, b) => (a.id < b.id ? -1 : 1));
  return [...known.filter(({ id }) => id === seen.self), ...others].map((member) =>
    describeProxy(member, seen, newsOf(member.id)),
  );
}

function describeProxy(
  { id, alive, fencedOff, info }: FleetMember,
  seen: SeenFleet,
  news: ProxyNews | null,
): ProxyView {
  const jobs = seen.claims.flatMap(({ job, holder }) => (holder === id ? [job] : []));
  const ring = seen.ring?.state;
  return {
    id,
    admin: info?.admin ?? '',
    alive,
    generation: news?.generation ?? ring?.generation ?? 0,
    phase: news?.phase ?? (ring === undefined ? 'stable' : shownPhase(phaseOf(ring))),
    workers: info?.workers ?? 0,
    version: info?.version ?? '',
    fencedOff,
    coordinator: jobs.includes(COORDINATOR),
    jobs: jobs.filter((job) => job !== COORDINATOR).sort(),
    startedAt: info?.startedAt ?? null,
    load: news?.load ?? null,
  };
}

/** @param unreachableSince since when the store does not answer, or null */
export function describeCoordination(
  { self, consistency, isReachable, isRingGone, leaseLeft, members }: SeenFleet,
  kind: CoordinationView['kind'],
  unreachableSince: Date | null,
): CoordinationView {
  const own = members.find(({ id }) => id === self);
  return {
    kind,
    proxy: self,
    consistency,
    reachable: isReachable,
    unreachableSince: isReachable ? null : (unreachableSince?.toISOString() ?? null),
    leaseSeconds: leaseLeft === Number.POSITIVE_INFINITY ? null : leaseLeft / 1000,
    trouble: troubleOf(consistency, isReachable, isRingGone, leaseLeft, own?.fencedOff ?? false),
  };
}

function troubleOf(
  consistency: CoordinationView['consistency'],
  isReachable: boolean,
  isRingGone: boolean,
  leaseLeft: number,
  fencedOff: boolean,
): string | null {
  if (isRingGone) return `etcd has lost the ring: ${whatHolds(consistency)}`;
  if (!isReachable) return `etcd is out of reach: ${whatHolds(consistency)}`;
  if (fencedOff) return 'this proxy was fenced off: it serves no commands until it has joined the fleet anew';
  if (leaseLeft === 0) return 'the lease of this proxy has run out: it asks etcd before each new connection to a node';
  return null;
}

/** What goes on while etcd is out of reach, and what does not. */
export function whatHolds(consistency: CoordinationView['consistency']): string {
  return consistency === 'strict'
    ? 'clients are served by the connections to nodes that there are, new ones wait; the ring cannot be changed'
    : 'clients are served as before; the ring cannot be changed';
}
