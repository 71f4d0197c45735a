/** Composition: makes one proxy of the control plane and the data plane, and ties them together. */
import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProxyView } from './admin/api.js';
import type { AdminBackend } from './admin/backend.js';
import { AdminServer } from './admin/server.js';
import { buildCommandTable, type CommandInfo, parseCommandReply } from './commands/build.js';
import { parseAddress } from './config/address.js';
import type { Config } from './config/settings.js';
import { RingproxyError } from './errors.js';
import { flushNode, inspectNode, type NodeAccess } from './health/inspect.js';
import { NodeMonitor } from './health/node-monitor.js';
import { DataPlane } from './proxy/data-plane.js';
import { socketShortCuts } from './proxy/io/raw-socket.js';
import { killLateConnections, killPredecessors } from './rebalance/connections.js';
import { Mover } from './rebalance/mover.js';
import type { NodeSpec } from './ring/node-spec.js';
import { metricSources, readStats, type StatsIdentity } from './serve-stats.js';
import { createLogger } from './telemetry/log.js';
import { Metrics } from './telemetry/metrics.js';
import { logEvents, onEvents } from './telemetry/subscribers.js';
import { RingManager } from './topology/ring-manager.js';
import { StateDir } from './topology/state-dir.js';
import { readVersion } from './version.js';

export interface RunningProxy {
  /** Where clients connect. */
  readonly listen: string;
  /** The admin API's URL, or null when it is off. */
  readonly admin: string | null;
  readonly proxyId: string;
  /** Answers what is in flight, then ends everything. */
  close(): Promise<void>;
}

const ringGeneration = channel('ringproxy:ring:generation');
/** How often the event loop's delay is sampled. */
const LOOP_RESOLUTION_MS = 20;
/** How long a node may take to answer a batch of moves. */
const MOVE_TIMEOUT_MS = 10_000;
const TRAFFIC_WINDOW_MS = 100;
/** What clients are told before a node has said what it is. */
const ASSUMED_REDIS_VERSION = '7.0.0';

/** Starts a proxy. @throws RingproxyError when it cannot, with what to do */
export async function startServer(config: Config): Promise<RunningProxy> {
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  const proxyId = randomBytes(6).toString('hex');
  const version = readVersion();
  const endLogging = logEvents(log);
  const access = nodeAccess(config);
  const monitors = new Map<string, NodeMonitor>();
  const extraCommands = new Map<string, CommandInfo>();
  const loopDelay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loopDelay.enable();
  // Measured by the second, and not reset by whoever reads it: several may.
  let loopLag = 0;
  const lagTimer = setInterval(() => {
    loopLag = loopDelay.count === 0 ? 0 : Math.max(0, loopDelay.mean / 1e6 - LOOP_RESOLUTION_MS) / 1000;
    loopDelay.reset();
  }, 1000);

  const plane: DataPlane = new DataPlane(dataPlaneOptions(config, proxyId, version, access), buildCommandTable(), {
    redisVersion: () => nodeVersion(monitors),
    proxyInfo: () => proxyInfo(proxyId, version, plane, identity),
  });

  const learnCommands = (reply: unknown): void => {
    const known = extraCommands.size;
    for (const info of parseCommandReply(reply)) {
      if (plane.table.get(info.name) === undefined) extraCommands.set(info.name, info);
    }
    if (extraCommands.size > known) {
      plane.useTable(buildCommandTable([...extraCommands.values()]));
      log.info({ commands: [...extraCommands.keys()] }, 'learned commands from a node');
    }
  };

  const watch = (nodes: readonly NodeSpec[]): void => {
    const wanted = new Map(nodes.map((node) => [`${node.name}\n${node.address}`, node]));
    for (const [key, monitor] of monitors) {
      if (wanted.has(key)) continue;
      monitor.stop();
      monitors.delete(key);
    }
    for (const [key, node] of wanted) {
      if (monitors.has(key)) continue;
      const monitor = new NodeMonitor(
        node,
        access(node.name),
        {
          interval: config.probeInterval,
          timeout: config.probeTimeout,
          failures: config.probeFailures,
          connectionName: `ringproxy-probe:${proxyId}`,
        },
        learnCommands,
      );
      monitors.set(key, monitor);
      monitor.start();
    }
  };

  const stateDir = config.stateDir === '' ? null : new StateDir(config.stateDir);
  const manager = new RingManager(proxyId, stateDir, {
    publish: (snapshot) => {
      plane.publish(snapshot);
      watch(snapshot.nodes);
      if (ringGeneration.hasSubscribers) {
        const names = snapshot.nodes.map((node) => node.name);
        ringGeneration.publish({
          generation: snapshot.generation,
          nodes: names,
          summary: `ring generation ${snapshot.generation}: ${names.join(', ')}`,
        });
      }
    },
    inspect: (node) => inspectNode(node, access(node.name), Math.max(config.probeTimeout, config.connectTimeout)),
    flush: (node) => flushNode(node, access(node.name), config.connectTimeout),
    health: (node) => monitors.get(`${node.name}\n${node.address}`)?.health ?? null,
    fence: (timeout) => plane.fence(timeout),
    killLateConnections: (nodes) => killLateConnections(nodes, plane, access, config.connectTimeout),
    killPredecessors: (nodes) => killPredecessors(nodes, proxyId, access, config.connectTimeout),
    createMover: (nodes, ring, nextRing, callbacks) =>
      new Mover({
        nodes: nodes.map((node) => ({
          name: node.name,
          address: node.address,
          ...access(node.name),
          peerAddress: config.nodes.find((entry) => entry.name === node.name)?.peerAddress ?? node.address,
        })),
        ring,
        nextRing,
        isBusy: trafficDetector(plane),
        link: {
          connectionName: `ringproxy-move:${proxyId}`,
          connectTimeout: config.connectTimeout,
          timeout: MOVE_TIMEOUT_MS,
        },
        ...callbacks,
      }),
    warn: (message) => log.warn(message),
    info: (message) => log.debug(message),
  });

  const identity: StatsIdentity = {
    proxyId,
    version,
    startedAt: Date.now(),
    loopLag: () => loopLag,
    ring: () => manager.view(),
    movedKeys: () => manager.movedKeys,
    bytesMoved: () => manager.bytesMoved,
  };

  let admin: AdminServer | null = null;
  let adminUrl: string | null = null;
  const closeAll = async (): Promise<void> => {
    await admin?.close();
    await manager.close();
    await plane.close(config.shutdownTimeout);
    for (const monitor of monitors.values()) monitor.stop();
    clearInterval(lagTimer);
    loopDelay.disable();
    await stateDir?.close();
    endLogging();
  };
  try {
    await stateDir?.open();
    await manager.bootstrap(config.nodes, {
      hash: config.hash,
      distribution: config.distribution,
      hashTag: config.hashTag,
      vnodes: config.vnodes,
      weighting: config.weighting,
    });
    const listen = await plane.listen().catch((error: unknown) => {
      throw listenFailure('listen', config.listen, error);
    });
    const proxies = (): ProxyView[] => [
      {
        id: proxyId,
        admin: adminUrl ?? '',
        alive: true,
        generation: manager.generation,
        phase: manager.phase,
        workers: 1,
        version,
      },
    ];
    const metrics = new Metrics(metricSources(plane, identity));
    const backend: AdminBackend = {
      ring: () => ({ ...manager.view(), proxies: proxies() }),
      which: (keys) => manager.which(keys),
      change: (request) => manager.change(request),
      pauseChange: () => manager.pause(),
      resumeChange: () => manager.resume(),
      throttleChange: (keysPerSecond) => manager.throttle(keysPerSecond),
      cancelChange: () => manager.cancel(),
      history: () => manager.history(),
      proxies,
      stats: () => readStats(plane, identity),
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
      ready: () => readiness(plane),
      onEvents,
    };
    const adminAddress = config.admin === 'off' ? null : parseAddress(config.admin);
    if (adminAddress !== null) {
      admin = new AdminServer(backend, {
        listen: adminAddress,
        token: config.adminToken,
        onError: (error) => log.error({ err: error }, 'the admin API failed'),
      });
      adminUrl = await admin.listen().catch((error: unknown) => {
        throw listenFailure('admin', config.admin, error);
      });
    }
    log.info(
      { listen, admin: adminUrl, proxy: proxyId, version, sockets: socketShortCuts() },
      `serving clients on ${listen}`,
    );
    return { listen, admin: adminUrl, proxyId, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** @returns a function that says whether commands were answered in the last tenth of a second or so */
function trafficDetector(plane: DataPlane): () => boolean {
  let seen = 0;
  let busy = true;
  let checkedAt = 0;
  return () => {
    const now = performance.now();
    if (now - checkedAt < TRAFFIC_WINDOW_MS) return busy;
    checkedAt = now;
    let commands = 0;
    for (const node of plane.nodes) commands += node.counters.commands;
    busy = commands !== seen;
    seen = commands;
    return busy;
  };
}

function nodeAccess(config: Config): (name: string) => NodeAccess {
  return (name) => {
    const node = config.nodes.find((candidate) => candidate.name === name);
    return { username: node?.username ?? config.nodeUsername, password: node?.password ?? config.nodePassword };
  };
}

function dataPlaneOptions(
  config: Config,
  proxyId: string,
  version: string,
  access: (name: string) => NodeAccess,
): ConstructorParameters<typeof DataPlane>[0] {
  const listen = parseAddress(config.listen);
  if (listen === null) throw new RingproxyError('BAD_ADDRESS', `'${config.listen}' is not an address`, 'see --listen');
  return { ...config, listen, proxyId, version, nodeAccess: access };
}

/** The oldest version among the nodes: clients must not be promised what a node cannot do. */
function nodeVersion(monitors: ReadonlyMap<string, NodeMonitor>): string {
  const versions = [...monitors.values()].flatMap((monitor) => monitor.health.version ?? []);
  versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return versions[0] ?? ASSUMED_REDIS_VERSION;
}

function readiness(plane: DataPlane): { ready: boolean; reason: string } {
  const down = [...plane.nodes].filter((node) => !node.up).map((node) => `${node.name} (${node.address})`);
  const all = [...plane.nodes].length;
  if (down.length < all) return { ready: true, reason: '' };
  return { ready: false, reason: `no node answers: ${down.join(', ')}` };
}

function proxyInfo(proxyId: string, version: string, plane: DataPlane, identity: StatsIdentity): string[] {
  const stats = readStats(plane, identity);
  return [
    `ringproxy_version:${version}`,
    `ringproxy_id:${proxyId}`,
    `ringproxy_uptime_in_seconds:${Math.floor(stats.uptimeSeconds)}`,
    `ringproxy_generation:${stats.generation}`,
    `ringproxy_nodes:${stats.nodeStats.length}`,
    `ringproxy_nodes_up:${stats.nodeStats.filter((node) => node.up).length}`,
    `ringproxy_clients:${stats.clients}`,
    `ringproxy_commands:${stats.commands}`,
    `ringproxy_errors:${stats.errors}`,
    `ringproxy_hits:${stats.hits}`,
    `ringproxy_misses:${stats.misses}`,
  ];
}

function listenFailure(setting: string, address: string, error: unknown): RingproxyError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: `another process listens there: end it, or choose another address with --${setting}`,
    EACCES: `this user may not listen there: choose a port above 1023 with --${setting}`,
    EADDRNOTAVAIL: `this machine has no such address: choose another with --${setting}`,
    ENOTFOUND: `the name does not resolve: choose another with --${setting}`,
  };
  return new RingproxyError(
    code === '' ? 'LISTEN' : code,
    `cannot listen on ${address} (${setting}): ${message}`,
    hints[code] ?? `choose another address with --${setting}`,
    500,
  );
}
