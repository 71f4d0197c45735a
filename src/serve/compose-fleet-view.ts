/** Composition: what is seen of the fleet, for the page, the metrics, INFO and the events. */
import type { CoordinationView, NodeOpinionView, OwnNodeView, ProxyLoad, ProxyView } from '../admin/api.js';
import type { FleetPort } from '../admin/backend.js';
import { monotonicNow } from '../time/monotonic.js';
import { systemTimers } from '../time/timers.js';
import type { RingManager } from '../topology/ring-manager.js';
import type { FleetMember } from '../topology/state/fleet.js';
import { COORDINATOR, type RingStore, type StoredRing } from '../topology/store/ring-store.js';
import { FenceWatcher } from '../topology/views/fence-watcher.js';
import { FleetSight } from '../topology/views/fleet-sight.js';
import { describeCoordination, describeProxies, type NewsOf } from '../topology/views/fleet-view.js';
import { FleetWatcher } from '../topology/views/fleet-watcher.js';
import { PeerWatcher } from '../topology/views/peer-watcher.js';

/** What proxies tell each other: the soft state's. */
export interface HeardOfOthers {
  readonly newsOf: NewsOf;
  /** What the proxies have told for which the node is down. */
  opinionsOf(node: Pick<OwnNodeView, 'name' | 'address'>): readonly NodeOpinionView[];
  /** Of each other proxy: seconds since something was heard of it. */
  lags(): ReadonlyMap<string, number>;
}

export interface FleetViewNeeds {
  readonly kind: CoordinationView['kind'];
  readonly store: RingStore;
  /** This proxy's id: another one once it had to register anew. */
  readonly self: () => string;
  readonly ring: Pick<RingManager, 'generation' | 'phase'>;
  /** URL of this proxy's admin API; empty: it has none. */
  readonly admin: () => string;
  /** Processes that serve clients. */
  readonly workers: () => number;
  readonly load: () => ProxyLoad | null;
  /** Null: there is nobody to hear of. */
  readonly heard: HeardOfOthers | null;
  /** Told whenever the members may be others. */
  readonly onMembers: (members: readonly FleetMember[]) => void;
}

export interface FleetView extends FleetPort {
  /** Looks from now on. @param known the ring that is served while the store does not answer, or null: it does */
  open(known: StoredRing | null): Promise<void>;
  close(): void;
}

export function composeFleetView(needs: FleetViewNeeds): FleetView {
  const { kind, store, self, ring, admin, workers, load, heard, onMembers } = needs;
  const watcher = new FleetWatcher(systemTimers);
  const peers = new PeerWatcher();
  const fences = new FenceWatcher({
    coordinator: () => sight.now.claims.find(({ job }) => job === COORDINATOR)?.holder ?? '',
    members: () => store.members(),
    timers: systemTimers,
  });
  let unreachableSince: Date | null = null;
  const sight: FleetSight = new FleetSight({
    store,
    self,
    monotonicNow,
    timers: systemTimers,
    onRecord: (record) => fences.observe(record),
    onSeen: (seen) => {
      unreachableSince = seen.isReachable ? null : (unreachableSince ?? new Date());
      onMembers(seen.members);
      if (kind !== 'none') watcher.observe(seen);
      if (heard !== null) peers.observe(seen, heard.lags());
    },
  });
  const newsOf: NewsOf = (id) =>
    id === self() ? { generation: ring.generation, phase: ring.phase, load: load() } : (heard?.newsOf(id) ?? null);
  // What it knows better than its record; alone, it need not claim what nobody else could.
  const own = (view: ProxyView): ProxyView => {
    const coordinator = view.coordinator || kind === 'none';
    return { ...view, admin: view.admin || admin(), workers: workers(), coordinator };
  };
  return {
    open: (known) => sight.open(known),
    close: () => sight.close(),
    proxies: () => describeProxies(sight.now, newsOf).map((view) => (view.id === self() ? own(view) : view)),
    coordination: () => describeCoordination(sight.now, kind, unreachableSince),
    opinionsOf: (node) => {
      const { downSince: since, error } = node;
      const own = since === null ? [] : [{ proxy: self(), since, why: error ?? '' }];
      return [...own, ...(heard?.opinionsOf(node) ?? []).filter(({ proxy }) => proxy !== self())];
    },
  };
}
