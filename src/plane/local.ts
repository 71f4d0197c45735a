/** The data plane in this process. */
import type { WorkerView } from '../admin/api.js';
import { buildCommandTable, type CommandInfo } from '../commands/build.js';
import type { ValueStore } from '../fleet/values/store.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import type { KeyGroup } from '../proxy/caching/policy.js';
import { DataPlane } from '../proxy/data-plane.js';
import type { HotReport } from '../proxy/measure/hot-keys/hot-report.js';
import { emptyPlaneStats, type PlaneStats } from '../proxy/measure/plane-stats.js';
import { readPlaneStats } from '../proxy/measure/read-plane-stats.js';
import type { DataPlaneOptions } from '../proxy/options.js';
import type { FleetPort } from '../proxy/peers/fleet.js';
import type { LiveSettings } from '../proxy/settings.js';
import type { RoutingSnapshot } from '../proxy/snapshot.js';
import type { LateKiller } from '../rebalance/connections.js';
import { LoopLag } from '../telemetry/loop-lag.js';
import { TrafficDetector } from '../telemetry/traffic-detector.js';
import type { TlsMaterial } from '../tls/material.js';
import type { FenceMember } from '../topology/state/change-protocol.js';
import type { FleetLink } from './fleet-link.js';
import { type PlaneHost, type PlaneStanding, type ProxyInfo, stillInFlight } from './host.js';

export class LocalPlane implements PlaneHost {
  readonly #plane: DataPlane;
  readonly #standing: PlaneStanding;
  readonly #killLate: LateKiller;
  readonly #lag = new LoopLag();
  readonly #traffic: TrafficDetector;
  #describe: (stats: PlaneStats) => ProxyInfo = () => ({ redisVersion: '', lines: [], clients: 0 });

  /** @param fleet null: this proxy is alone */
  constructor(
    options: DataPlaneOptions & { readonly standing: PlaneStanding },
    killLate: LateKiller,
    beforeReturn: (node: NodeEndpoint) => Promise<void>,
    fleet: FleetLink | null,
  ) {
    this.#killLate = killLate;
    this.#standing = options.standing;
    this.#plane = new DataPlane(options, buildCommandTable(), {
      peers: null,
      limits: null,
      board: null,
      scriptPeers: fleet?.scripts ?? null,
      fleet: fleet === null ? null : fleetPort(fleet),
      beforeReturn,
      onBusy: () => {},
      redisVersion: () => this.#describe(emptyPlaneStats()).redisVersion,
      allClients: () => this.#plane.clients.size,
      proxyInfo: () => [...this.#describe(readPlaneStats(this.#plane, this.#lag.seconds)).lines],
    });
    this.#traffic = new TrafficDetector(() => {
      let commands = 0;
      for (const node of this.#plane.nodes) commands += node.counters.commands;
      return commands;
    });
  }

  get workers(): WorkerView[] {
    return [{ number: 1, slot: 1, pid: process.pid, clients: this.#plane.clients.size }];
  }

  get values(): ValueStore {
    return this.#plane.values;
  }

  listen(): Promise<string | null> {
    this.#plane.start();
    return this.#plane.listen();
  }

  listenTls(): Promise<string | null> {
    return this.#plane.listenTls();
  }

  useCertificates(certificates: readonly TlsMaterial[]): void {
    this.#plane.useCertificates(certificates);
  }

  publish(snapshot: RoutingSnapshot): void {
    this.#plane.publish(snapshot);
  }

  /** It does at once. */
  published(): Promise<void> {
    return Promise.resolve();
  }

  async fence(timeout: number): Promise<FenceMember[]> {
    const slow = await this.#plane.fence(timeout);
    const why = stillInFlight(slow);
    return [{ acknowledged: slow.length === 0, why }];
  }

  async killLateConnections(nodes: readonly NodeEndpoint[]): Promise<void> {
    const late = this.#plane.lateConnections();
    await this.#killLate(nodes, late, (dropped) => this.#plane.forgetLate([dropped]));
  }

  suspend(why: string): void {
    this.#standing.revoke();
    this.#plane.suspend(why);
  }

  resume(proxyId: string): void {
    this.#standing.renew(proxyId);
    this.#plane.resume();
  }

  /** The data plane asks it itself. */
  renewed(): void {}

  /** The nodes of the snapshot have the same object. */
  useCredentials(): void {}

  /** The data plane asks the mover itself. */
  sourceSwept(): void {}

  scriptBody(digest: string): Buffer | undefined {
    return this.#plane.scriptBody(digest);
  }

  flushScripts(kept: ReadonlySet<string>): void {
    this.#plane.flushScripts(kept);
  }

  useSettings(settings: LiveSettings): void {
    this.#plane.useSettings(settings);
  }

  useGroups(groups: readonly KeyGroup[]): void {
    this.#plane.useGroups(groups);
  }

  useCommands(commands: readonly CommandInfo[]): void {
    this.#plane.useTable(buildCommandTable(commands));
  }

  knows(command: string): boolean {
    return this.#plane.table.get(command) !== undefined;
  }

  stats(): Promise<PlaneStats> {
    return Promise.resolve(readPlaneStats(this.#plane, this.#lag.seconds));
  }

  hotKeys(): Promise<HotReport> {
    return Promise.resolve(this.#plane.hotKeys());
  }

  describeBy(describe: (stats: PlaneStats) => ProxyInfo): void {
    this.#describe = describe;
  }

  isBusy(): boolean {
    return this.#traffic.isBusy();
  }

  async close(timeout: number): Promise<void> {
    await this.#plane.close(timeout);
    this.#lag.stop();
  }
}

/** Of one process, which is one connection to a node. */
function fleetPort(fleet: FleetLink): FleetPort {
  return {
    report: (topics) => fleet.tell(topics.map((topic) => ({ ...topic, connections: topic.clients > 1 ? 1 : 0 }))),
    subscribers: fleet.subscribers,
  };
}
