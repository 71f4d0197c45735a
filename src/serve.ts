/** Composition: makes one proxy of the control plane and the data plane, and ties them together. */
import { availableParallelism } from 'node:os';
import type { ProxyView, StatsView } from './admin/api.js';
import type { AdminBackend } from './admin/backend.js';
import { AdminServer } from './admin/server.js';
import type { Config } from './config/settings.js';
import { RingproxyError, systemCode } from './errors.js';
import { examineNode, takesValuesOf } from './health/examine.js';
import { flushNode, inspectNode, runIdsOf } from './health/inspect.js';
import { NodeMonitors } from './health/node-monitors.js';
import { readiness } from './health/readiness.js';
import { newIdentity } from './identity.js';
import { type Reach, reachOf } from './node/access.js';
import { parseAddress } from './node/address.js';
import type { NodeEndpoint } from './node/endpoint.js';
import type { PlaneHost } from './plane/host.js';
import { LearnedCommands } from './plane/learned-commands.js';
import { LocalPlane } from './plane/local.js';
import type { WorkerOptions } from './plane/workers/messages.js';
import { WorkerPool, type WorkerPoolOptions } from './plane/workers/primary/worker-pool.js';
import { socketShortCuts } from './proxy/io/raw-socket.js';
import { bucketUpperBound } from './proxy/measure/histogram.js';
import type { PlaneStats } from './proxy/measure/plane-stats.js';
import { pickDataPlaneSettings } from './proxy/settings.js';
import type { RoutedNode, RoutingSnapshot } from './proxy/snapshot.js';
import { killByName, lateKiller } from './rebalance/connections.js';
import { publishKeysMoved } from './rebalance/events.js';
import { FunctionKeeper } from './rebalance/function-keeper.js';
import { Mover } from './rebalance/mover.js';
import { NodeLink } from './rebalance/node-link.js';
import { surveyMoves } from './rebalance/survey.js';
import { LoadHistory } from './telemetry/load-history.js';
import { createLogger } from './telemetry/log.js';
import { ProxyMetrics } from './telemetry/proxy-metrics.js';
import { RecentEvents } from './telemetry/recent-events.js';
import { infoLines, statsView } from './telemetry/stats-view.js';
import { logEvents, onEvents } from './telemetry/subscribers.js';
import { type RingGenerationEvent, ringGeneration } from './topology/events.js';
import { StrayChecks } from './topology/jobs/stray-checks.js';
import { RingManager } from './topology/ring-manager.js';
import type { Member } from './topology/state/ring-state.js';
import { LocalStore } from './topology/store/local-store.js';
import { StateDir } from './topology/store/state-dir.js';
import { arcsView } from './topology/views/arcs-view.js';
import { ChangeWatcher } from './topology/views/change-watcher.js';

export interface RunningProxy {
  /** Where clients connect. */
  readonly listen: string;
  /** The admin API's URL, or null when it is off. */
  readonly admin: string | null;
  readonly proxyId: string;
  /** Answers what is in flight, then ends everything. */
  close(): Promise<void>;
}

/**
 * How long a node may take to answer a batch of moves: more than Redis' `busy-reply-threshold`, from which on a node
 * that runs a script says so.
 */
const MOVE_TIMEOUT_MS = 7000;
/** How long a node may take to say which process it is, while commands on moved keys are held. */
const RUN_ID_MS = 500;
/** How long a dry run looks for large keys. */
const SURVEY_MS = 3000;
/** What clients are told before a node has said what it is; later the oldest version: no node can do less. */
const ASSUMED_REDIS_VERSION = '7.0.0';

/** Starts a proxy. @throws RingproxyError when it cannot, with what to do */
export async function startServer(config: Config): Promise<RunningProxy> {
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  const identity = newIdentity();
  const { proxyId, version } = identity;
  const endLogging = logEvents(log);
  const recent = new RecentEvents();
  const reach = reachBy(config);
  const functions: FunctionKeeper = new FunctionKeeper({
    timeout: config.connectTimeout,
    serving: () => (routed?.nodes ?? []).filter((node) => monitors.isUp(node)),
    log,
  });
  const plane = createPlane(config, proxyId, version, functions, (message) => log.warn(message));

  const commands = new LearnedCommands(plane, (names) => log.info({ commands: names }, 'learned commands from a node'));
  const monitors: NodeMonitors = new NodeMonitors(
    {
      interval: config.probeInterval,
      timeout: config.probeTimeout,
      failures: config.probeFailures,
      connectionName: `ringproxy-probe:${proxyId}`,
    },
    (reply) => commands.learn(reply),
  );

  const link = {
    connectionName: `ringproxy-move:${proxyId}`,
    connectTimeout: config.connectTimeout,
    timeout: MOVE_TIMEOUT_MS,
  };
  const watcher = new ChangeWatcher();
  let routed: RoutingSnapshot | null = null;
  // At once, and with whatever is in flight: the other proxy may move keys any moment.
  const stateDirLost = (why: string): void => {
    log.fatal(`${why}: ending`);
    process.exit(1);
  };
  const directory =
    config.stateDir === '' ? null : new StateDir(config.stateDir, stateDirLost, (message) => log.warn(message));
  const store = new LocalStore(proxyId, directory);
  const strays: StrayChecks = new StrayChecks({
    open: (node) => NodeLink.open(reach(node), { ...link, onLate: () => {} }),
    stable: () => manager.stableRing,
    runId: (node) => monitors.runIdOf(node),
    warn: (message) => log.warn(message),
  });
  const manager: RingManager = new RingManager(proxyId, store, {
    publish: (members) => {
      const snapshot: RoutingSnapshot = { ...members, nodes: members.nodes.map(reach) };
      routed = snapshot;
      plane.publish(snapshot);
      monitors.watch(snapshot.nodes);
      if (ringGeneration.hasSubscribers) {
        const names = snapshot.nodes.map((node) => node.name);
        const event: RingGenerationEvent = {
          generation: snapshot.generation,
          nodes: names,
          summary: `ring generation ${snapshot.generation}: ${names.join(', ')}`,
        };
        ringGeneration.publish(event);
      }
      watcher.observe(manager.view());
    },
    inspect: (node) => inspectNode(reach(node), Math.max(config.probeTimeout, config.connectTimeout)),
    examine: (node) => examineNode(reach(node), config.databases, config.connectTimeout),
    takesValuesOf: (source, target) => takesValuesOf(reach(source), reach(target), config.connectTimeout),
    databases: config.databases,
    flush: (node) => flushNode(reach(node), config.connectTimeout),
    clearStrays: (...change) => strays.clearBefore(...change),
    bringFunctions: (members, node) => functions.bring(members.map(reach), reach(node)),
    health: (node) => monitors.healthOf(node),
    fence: (timeout) => plane.fence(timeout),
    killLateConnections: (nodes) => plane.killLateConnections(nodes.map(reach)),
    killPredecessors: (nodes, proxies) =>
      killByName(nodes.map(reach), (name) => proxies.includes(proxyOfConnection(name)), config.connectTimeout),
    survey: (nodes, ring, nextRing) => surveyMoves(nodes.map(reach), ring, nextRing, link, SURVEY_MS),
    runIds: (nodes) => runIdsOf(nodes.map(reach), RUN_ID_MS),
    createMover: (nodes, ring, nextRing, start, callbacks) =>
      new Mover({
        nodes: nodes.map(reach),
        ring,
        nextRing,
        ...start,
        isBusy: () => plane.isBusy(),
        link: { ...link, onFirstSeen: callbacks.onFirstSeen },
        onSourceSwept: (source) => plane.sourceSwept(source),
        ...callbacks,
        onMoved: (source, target, keys, bytes) => {
          callbacks.onMoved(source, target, keys, bytes);
          watcher.countMoved(keys, bytes);
          publishKeysMoved(source, target, keys, bytes);
        },
        onFailure: (message) => {
          callbacks.onFailure(message);
          watcher.observe(manager.view());
        },
      }),
    warn: (message) => log.warn(message),
    info: (message) => log.info(message),
    debug: (message) => log.debug(message),
  });

  const viewOf = (stats: PlaneStats): StatsView =>
    statsView(stats, { identity, workers: plane.workers, generation: manager.generation });
  plane.describeBy((stats) => ({
    redisVersion: monitors.oldestVersion ?? ASSUMED_REDIS_VERSION,
    lines: infoLines(viewOf(stats)),
    clients: stats.clients,
  }));

  const load = new LoadHistory({
    read: () => plane.stats(),
    keysMoved: () => [...manager.movedKeys].reduce((sum, { keys }) => sum + keys, 0),
    bucketUpperBound,
    now: () => performance.now(),
  });

  let admin: AdminServer | null = null;
  let adminUrl: string | null = null;
  const closeAll = async (): Promise<void> => {
    load.stop();
    await admin?.close();
    await strays.close();
    await manager.close();
    await plane.close(config.shutdownTimeout);
    monitors.stop();
    await store.close();
    recent.stop();
    endLogging();
  };
  try {
    await store.open();
    await manager.bootstrap(config.nodes, {
      hash: config.hash,
      distribution: config.distribution,
      hashTag: config.hashTag,
      vnodes: config.vnodes,
      weighting: config.weighting,
    });
    await functions.spread(manager.nodes.map(reach));
    const listen = await plane.listen().catch((error: unknown) => {
      throw listenFailure('listen', config.listen, error);
    });
    strays.start();
    const proxies = (): ProxyView[] => [
      {
        id: proxyId,
        admin: adminUrl ?? '',
        alive: true,
        generation: manager.generation,
        phase: manager.phase,
        workers: plane.workers.length,
        version,
      },
    ];
    const metrics = new ProxyMetrics({
      identity,
      plane: () => plane.stats(),
      ring: () => manager.view(),
      movedKeys: () => manager.movedKeys,
      bytesMoved: () => manager.bytesMoved,
      strays: () => strays.report().nodes,
    });
    const backend: AdminBackend = {
      ring: () => ({ ...manager.view(), proxies: proxies() }),
      arcs: (limit) => arcsView(routed, limit),
      which: (keys) => manager.which(keys),
      change: (request) => manager.change(request),
      pauseChange: () => {
        manager.pause();
        watcher.observe(manager.view());
      },
      resumeChange: async (noDrain) => {
        await manager.resume(noDrain);
        watcher.observe(manager.view());
      },
      throttleChange: (keysPerSecond) => manager.throttle(keysPerSecond),
      cancelChange: () => manager.cancel(),
      previewCancel: () => manager.previewCancel(),
      history: () => manager.history(),
      strays: () => strays.report(),
      checkStrays: (fix) => strays.check(fix),
      proxies,
      stats: async () => viewOf(await plane.stats()),
      metrics: () => metrics.read(),
      ready: async () => readiness((await plane.stats()).nodes),
      load: (seconds) => load.over(seconds),
      loadHistory: (since) => load.samples(since),
      recentEvents: () => recent.list(),
      onEvents,
    };
    const adminAddress = config.admin === 'off' ? null : parseAddress(config.admin);
    if (adminAddress !== null) {
      load.start();
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
      { listen, admin: adminUrl, proxy: proxyId, version, workers: plane.workers.length, sockets: socketShortCuts() },
      `serving clients on ${listen}`,
    );
    return { listen, admin: adminUrl, proxyId, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** @returns the id of the proxy that named its connection to a node so, or an empty string */
function proxyOfConnection(name: string): string {
  return /^ringproxy(?:-move)?:([0-9a-f]+)(?:\.\d+)?$/.exec(name)?.[1] ?? '';
}

function createPlane(
  config: Config,
  proxyId: string,
  version: string,
  functions: FunctionKeeper,
  warn: (message: string) => void,
): PlaneHost {
  const listen = parseAddress(config.listen);
  if (listen === null) throw new RingproxyError('BAD_ADDRESS', `'${config.listen}' is not an address`, 'see --listen');
  const options: WorkerOptions = { ...pickDataPlaneSettings(config), listen, proxyId, version };
  const beforeReturn = (node: NodeEndpoint): Promise<void> => functions.beforeReturn(node);
  const killLate = lateKiller(config.connectTimeout);
  const workers = config.workers === 'auto' ? availableParallelism() : config.workers;
  if (workers === 1) {
    return new LocalPlane({ ...options, mayServe: () => {} }, killLate, beforeReturn);
  }
  const poolOptions: WorkerPoolOptions = {
    workers,
    plane: options,
    killLate,
    killNamed: (nodes, isGone) => killByName(nodes, isGone, config.connectTimeout),
    warn,
    beforeReturn,
  };
  return new WorkerPool(poolOptions);
}

/** How the members are reached. */
function reachBy(config: Config): (member: Member) => RoutedNode & Reach {
  const { nodes, nodeUsername: username, nodePassword: password } = config;
  return (member) => {
    const { id, name, address, weight } = member;
    return { id, name, address, weight, ...reachOf(member, { nodes, login: { username, password } }) };
  };
}

function listenFailure(setting: string, address: string, error: unknown): RingproxyError {
  const message = error instanceof Error ? error.message : String(error);
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: `another process listens there: end it, or choose another address with --${setting}`,
    EACCES: `this user may not listen there: choose a port above 1023 with --${setting}`,
    EADDRNOTAVAIL: `this machine has no such address: choose another with --${setting}`,
    ENOTFOUND: `the name does not resolve: choose another with --${setting}`,
  };
  return new RingproxyError(
    'LISTEN',
    `cannot listen on ${address} (${setting}): ${message}`,
    hints[systemCode(error)] ?? `choose another address with --${setting}`,
  );
}
