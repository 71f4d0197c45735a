/** Composition: what operators see of the proxy, and what serves it. */
import { Credentials } from '../admin/access/credentials.js';
import type { ProxyLoad, StatsView } from '../admin/api.js';
import type { AdminBackend } from '../admin/backend.js';
import { AdminServer } from '../admin/server.js';
import { adminTokens } from '../config/admin-tokens.js';
import { listenFailure } from '../config/listen-failure.js';
import type { Config } from '../config/settings.js';
import { readiness } from '../health/readiness.js';
import type { ProxyIdentity } from '../identity.js';
import { parseAddress } from '../node/address.js';
import type { PlaneHost } from '../plane/host.js';
import { bucketUpperBound } from '../proxy/measure/histogram.js';
import type { PlaneStats } from '../proxy/measure/plane-stats.js';
import { EjectionCounts } from '../telemetry/ejection-counts.js';
import { EtcdCounts } from '../telemetry/etcd-counts.js';
import { FenceCounts } from '../telemetry/fence-counts.js';
import { fleetFigures } from '../telemetry/fleet-figures.js';
import { LoadHistory } from '../telemetry/load-history.js';
import type { Logger } from '../telemetry/log.js';
import { ownLoad } from '../telemetry/own-load.js';
import { ProxyMetrics } from '../telemetry/proxy-metrics.js';
import { RecentEvents } from '../telemetry/recent-events.js';
import { fleetLines, infoLines, statsView } from '../telemetry/stats-view.js';
import { onEvents } from '../telemetry/subscribers.js';
import type { LiveGroups } from '../topology/groups/live-groups.js';
import type { StrayChecks } from '../topology/jobs/stray-checks.js';
import type { RingManager } from '../topology/ring-manager.js';
import type { FleetMember } from '../topology/state/fleet.js';
import type { RingStore, StoredRing } from '../topology/store/ring-store.js';
import { composeAdvice } from './compose-advice.js';
import { composeAudit } from './compose-audit.js';
import { composeFleetView } from './compose-fleet-view.js';
import { composeGroupsPort } from './compose-groups-port.js';
import { composeHotKeys } from './compose-hot-keys.js';
import type { PeersParts } from './compose-peers.js';
import type { SoftStateParts } from './compose-soft-state.js';
import type { TlsParts } from './compose-tls.js';
import type { ValuesParts } from './compose-values.js';

export interface AdminNeeds {
  readonly config: Config;
  readonly identity: ProxyIdentity;
  readonly log: Logger;
  readonly plane: PlaneHost;
  readonly ring: RingManager;
  readonly strays: StrayChecks;
  readonly groups: LiveGroups;
  readonly store: RingStore;
  /** URL of this proxy's admin API, as others reach it; empty: it has none. */
  readonly advertised: () => string;
  /** Told whenever the members of the fleet may be others. */
  readonly onMembers: (members: readonly FleetMember[]) => void;
  /** Clients are let in. */
  readonly isServing: () => boolean;
  /** Who answers other proxies of the ring; null: this one is alone. */
  readonly peers: PeersParts | null;
  /** What other proxies have told; null: this one is alone. */
  readonly softState: SoftStateParts | null;
  /** Null: the proxy is alone. */
  readonly values: Pick<ValuesParts, 'figures'>;
  readonly tls: TlsParts;
}

export interface AdminParts {
  /** Those of a configuration that was read again are valid from now on, and no others. */
  takeTokens(read: Config): void;
  /** Sees the fleet from now on. @param known the ring that is served while the store does not answer; null: it does */
  open(known: StoredRing | null): Promise<void>;
  /** What this proxy has done within the last seconds; null: it is not measured. */
  load(): ProxyLoad | null;
  /** What INFO says of the proxy, of what was counted. */
  infoLines(stats: PlaneStats): string[];
  /** Whether clients can be served; if not, why. */
  health(): Promise<{ ready: boolean; reason: string }>;
  /** Serves the admin API. @returns its URL, or null where it is off @throws RingproxyError when it cannot listen */
  listen(): Promise<string | null>;
  close(): Promise<void>;
}

export function composeAdmin(needs: AdminNeeds): AdminParts {
  const { config, identity, log, plane, ring, strays, groups, store, peers, softState, values, advertised, isServing } =
    needs;
  const recent = new RecentEvents();
  const load = new LoadHistory({
    read: () => plane.stats(),
    keysMoved: () => [...ring.movedKeys].reduce((sum, { keys }) => sum + keys, 0),
    bucketUpperBound,
    now: () => performance.now(),
  });
  const fleet = composeFleetView({
    kind: config.coordination,
    store,
    self: () => identity.proxyId,
    ring,
    admin: advertised,
    workers: () => plane.workers.length,
    load: () => ownLoad(load),
    heard: softState,
    onMembers: needs.onMembers,
  });
  const asking = { self: () => identity.proxyId, proxies: () => fleet.proxies(), peers };
  const advice = composeAdvice({ ...asking, plane, ring });
  const audit = composeAudit({ ...asking, config, log });
  const hotKeys = composeHotKeys({ ...asking, plane, ring, groups });
  const groupsPort = composeGroupsPort({ ...asking, groups, plane, load });
  const etcd = config.coordination === 'etcd' ? new EtcdCounts() : null;
  const fences = new FenceCounts();
  const ejections = new EjectionCounts();
  const endCounting = [fences.listen(), ejections.listen(), etcd?.listen()];
  const metrics = new ProxyMetrics({
    identity,
    plane: () => plane.stats(),
    ring: () => ring.view(),
    movedKeys: () => ring.movedKeys,
    bytesMoved: () => ring.bytesMoved,
    strays: () => strays.report().nodes,
    ejections: () => ejections.read(),
    fleet: () => fleetFigures(fleet.proxies(), fleet.coordination(), ring.generation),
    fences: () => fences.read(),
    refused: () => audit.audit.refused,
    etcd: () => (etcd === null ? null : { isReachable: store.isReachable, ...etcd.read() }),
    softState: () => softState?.figures() ?? null,
    values: () => values.figures(),
    hotKeys: () => hotKeys.own(),
    tls: () => needs.tls.certificates.figures(),
  });
  const viewOf = (stats: PlaneStats): StatsView =>
    statsView(stats, { identity, workers: plane.workers, generation: ring.generation });
  const health = async (): Promise<{ ready: boolean; reason: string }> => {
    if (!isServing()) return { ready: false, reason: 'clients are not let in yet' };
    return readiness((await plane.stats()).nodes);
  };
  const backend: AdminBackend = {
    ring,
    strays,
    plane: { stats: async () => viewOf(await plane.stats()), ready: health },
    load,
    hotKeys,
    advice,
    groups: groupsPort,
    audit: audit.port,
    events: { recent: () => recent.list(), subscribe: onEvents },
    metrics,
    fleet,
  };
  const credentials = new Credentials(adminTokens(config));
  let server: AdminServer | null = null;
  return {
    takeTokens: (read) => credentials.replace(adminTokens(read)),
    open: (known) => fleet.open(known),
    load: () => ownLoad(load),
    health,
    infoLines: (stats) => [...infoLines(viewOf(stats)), ...fleetLines(fleet.proxies(), fleet.coordination())],
    async listen() {
      const address = config.admin === 'off' ? null : parseAddress(config.admin);
      if (address === null) return null;
      load.start();
      await audit.audit.open();
      server = new AdminServer(backend, {
        listen: address,
        tls: needs.tls.admin,
        credentials,
        audit: audit.audit,
        peers: peers?.port ?? null,
        onError: (error) => log.error({ err: error }, 'the admin API failed'),
      });
      const served = server;
      needs.tls.onAdminChange((material) => served.useCertificates(material));
      return server.listen().catch((error: unknown) => {
        throw listenFailure('admin', config.admin, error);
      });
    },
    async close() {
      load.stop();
      fleet.close();
      advice.close();
      hotKeys.close();
      groupsPort.close();
      await server?.close();
      await audit.close();
      recent.stop();
      for (const end of endCounting) end?.();
    },
  };
}
