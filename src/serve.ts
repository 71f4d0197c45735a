/** Composition: makes one proxy of the control plane and the data plane, and ties them together. */
import { availableParallelism } from 'node:os';
import { advertisedAdmin, fleetWarnings } from './config/fleet.js';
import { listenFailure } from './config/listen-failure.js';
import type { Config } from './config/settings.js';
import { tlsRules } from './config/tls.js';
import { configWarnings } from './config/warnings.js';
import { RingproxyError } from './errors.js';
import { NodeMonitors } from './health/node-monitors.js';
import { OwnIdentity } from './identity.js';
import { parseAddress } from './node/address.js';
import { createPlane } from './plane/create.js';
import { LearnedCommands } from './plane/learned-commands.js';
import { socketShortCuts } from './proxy/io/raw-socket.js';
import { forLiveSettings, pickDataPlaneSettings, pickLiveSettings } from './proxy/settings.js';
import { FunctionKeeper } from './rebalance/function-keeper.js';
import { composeAdmin } from './serve/compose-admin.js';
import { composeEjection } from './serve/compose-ejection.js';
import { composeGroups } from './serve/compose-groups.js';
import { composeMasters } from './serve/compose-masters.js';
import { composeNodeTls } from './serve/compose-node-tls.js';
import { composePeers } from './serve/compose-peers.js';
import { composeRing, type RingParts } from './serve/compose-ring.js';
import { composeSoftState } from './serve/compose-soft-state.js';
import { composeStore } from './serve/compose-store.js';
import { composeTls } from './serve/compose-tls.js';
import { composeValues } from './serve/compose-values.js';
import { FleetLimits } from './serve/fleet-limits.js';
import { NodeProcesses } from './serve/node-processes.js';
import { OwnAccess } from './serve/own-access.js';
import { reachBy } from './serve/reach.js';
import { Reload } from './serve/reload.js';
import { createLogger } from './telemetry/log.js';
import { logEvents } from './telemetry/subscribers.js';
import { systemTimers } from './time/timers.js';
import { unlessAborted } from './time/unless-aborted.js';
import { OwnStanding } from './topology/participant/own-standing.js';
import type { RingManager } from './topology/ring-manager.js';

export interface RunningProxy {
  /** Where clients connect; null: by TLS alone. */
  readonly listen: string | null;
  /** Where they connect by TLS; null: that is not spoken. */
  readonly tls: string | null;
  /** The admin API's URL, or null when it is off. */
  readonly admin: string | null;
  readonly proxyId: string;
  /** Whether clients can be served; if not, why. */
  health(): Promise<{ readonly ready: boolean; readonly reason: string }>;
  /**
   * Takes what was read anew: what can be changed while it serves is in force, the log tells the rest.
   * @param asked by what, such as a signal's name
   */
  reload(read: Config | RingproxyError, asked?: string): void;
  /** Answers what is in flight, then ends everything. @param asked by what, such as a signal's name */
  close(asked?: string): Promise<void>;
  /** Ends everything without waiting for what is in flight. */
  abandon(): Promise<void>;
}

/** What a proxy runs in: a program of its own, or somebody else's. */
export interface Surroundings {
  /** Aborted when it is not to start after all, which it may wait for long. */
  readonly signal: AbortSignal;
  /** Takes each line of the log, JSON without an end; undefined: standard error, in the form that the settings say. */
  readonly logTo?: ((line: string) => void) | undefined;
  /** Whose variables were read: those that look like settings and are none are warned of. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Another proxy has taken the state directory, and may move keys any moment: whoever runs this one ends it, at once. */
  readonly onLost: (why: string) => void;
}

/** For people. */
export function servedAt(listen: string | null, tls: string | null): string {
  return [listen, tls === null ? null : `${tls} (TLS)`].filter((text) => text !== null).join(' and ');
}

/** What clients are told before a node has said what it is; later the oldest version: no node can do less. */
const ASSUMED_REDIS_VERSION = '7.0.0';

/**
 * Starts a proxy.
 * @throws RingproxyError when it cannot, with what to do; the signal's reason when that was aborted
 */
export async function startServer(config: Config, surroundings: Surroundings): Promise<RunningProxy> {
  const { signal, logTo, env = {}, onLost } = surroundings;
  const address = config.listen === 'off' ? null : parseAddress(config.listen);
  if (address === null && config.listen !== 'off') {
    throw new RingproxyError('BAD_ADDRESS', `'${config.listen}' is not an address`, 'see --listen');
  }
  const log = createLogger({ level: config.logLevel, format: config.logFormat }, logTo);
  const endLogging = logEvents(log);
  for (const warning of [...fleetWarnings(config), ...configWarnings(config, env)]) log.warn(warning);
  const tls = composeTls(config);
  const identity = new OwnIdentity();
  const { proxyId, version } = identity;
  const nodeTls = composeNodeTls({
    ...{ config, certificates: tls.certificates, rules: tlsRules(config) },
    onChange: (credentials) => plane.useCredentials(credentials),
  });
  const access = new OwnAccess(config, nodeTls);
  const processes = new NodeProcesses(
    config,
    () => ring.recorded,
    (node) => masters.processOf(node),
  );
  const reach = reachBy(
    access,
    (node) => masters.of(node),
    (node) => processes.of(node),
  );

  const standing = new OwnStanding(proxyId, () => parts.standing);
  const functions = new FunctionKeeper({
    timeout: config.connectTimeout,
    standing,
    serving: () => ring.routed.filter((node) => monitors.isUp(node)).map(reach),
    log,
  });
  const agreed = await composeStore({ config, identity, log, certificates: tls.certificates, onLost });
  const { store } = agreed;
  const { masters, stop: stopMasters } = composeMasters({
    ...{ config, access, store },
    plane: () => plane,
    publishAnew: () => ring.publishAnew(),
    ownId: () => identity.proxyId,
    consistency: () => ring.consistency,
    empties: () => processes.isAsked,
    emptyServer: (...asked) => parts.emptyServer(...asked),
    warn: (message) => log.warn(message),
  });
  const ownId = (): string => identity.proxyId;
  const isAlone = config.coordination === 'none';
  const peers = isAlone ? null : await composePeers({ config, ownId, members: store, tls });
  const softState =
    peers === null
      ? null
      : composeSoftState({ ownId, peers: peers.peers, handlers: peers.handlers, store, timers: systemTimers });
  const workers = config.workers === 'auto' ? availableParallelism() : config.workers;
  const plane = createPlane({
    workers,
    plane: { ...pickDataPlaneSettings(config), listen: address, tls: tls.door, proxyId, version },
    standing,
    fleet: softState?.link ?? null,
    beforeReturn: (node) => functions.beforeReturn(node),
    warn: (message) => log.warn(message),
  });
  tls.watch(plane);
  const limits = new FleetLimits(pickLiveSettings(config), plane, (message) => log.info(message));
  const commands = new LearnedCommands(plane, (names) => log.info({ commands: names }, 'learned commands from a node'));
  const monitors: NodeMonitors = new NodeMonitors(
    {
      interval: config.probeInterval,
      timeout: config.probeTimeout,
      failures: config.probeFailures,
      connectionName: `ringproxy-probe:${proxyId}`,
    },
    (reply) => commands.learn(reply),
    () => ring.publishAnew(),
  );
  const groups = composeGroups({
    ...{ config, store, plane, ownId, log },
    nodes: () => ring.routed,
    open: (node) => parts.openLink(node),
  });
  const values = composeValues({
    ...{ config, log, ownId, peers, store, timers: systemTimers },
    values: plane.values,
    groups: () => groups.inForce.groups,
  });
  let url: string | null = null;
  const advertised = (): string => (url === null ? '' : advertisedAdmin(config, url));
  const parts: RingParts = composeRing({
    ...{ config, workers, identity, store, advertised, log, reach, masters, standing, peers, plane, monitors },
    ...{ functions, groups },
  });
  const ring: RingManager = parts.ring;
  const { strays, belonging } = parts;
  const ejection = composeEjection({
    ...{ config, ownId, store, ring, monitors, heard: softState, notes: parts.ejectionNotes },
    warn: (message) => log.warn(message),
  });
  let isServing = false;
  const admin = composeAdmin({
    ...{ config, identity, log, plane, ring, strays, groups, store, advertised, tls },
    peers,
    softState,
    values,
    isServing: () => isServing,
    onMembers: (members) => limits.onMembers(members),
  });
  plane.describeBy((stats) => ({
    redisVersion: monitors.oldestVersion ?? ASSUMED_REDIS_VERSION,
    lines: admin.infoLines(stats),
    clients: stats.clients,
  }));

  const close = async (asked = 'asked to end', mostTime = config.shutdownTimeout): Promise<void> => {
    const hasServed = isServing;
    if (hasServed) log.info(`${asked}: takes no more clients, answers what is in flight, and ends`);
    isServing = false;
    softState?.stop();
    await admin.close();
    parts.strangerWatch.stop();
    stopMasters();
    await strays.close();
    await belonging.close();
    groups.close();
    await ring.close();
    await plane.close(mostTime);
    await values.close();
    monitors.stop();
    if (hasServed && !isAlone) await parts.leave();
    await peers?.close();
    await agreed.close();
    tls.certificates.stop();
    if (hasServed) log.info('ended');
    endLogging();
  };
  try {
    const { former, remembered, groups: formerGroups, known } = await unlessAborted(signal, agreed.open());
    // Others find this proxy by its admin API as soon as it has joined.
    url = await admin.listen();
    let isFounder = false;
    if (known === null) {
      const { hash, distribution, hashTag, hashTags, vnodes, weighting } = config;
      const founding = { former, remembered, consistency: isAlone ? null : config.consistency, waits: !isAlone };
      const options = { hash, distribution, hashTag, hashTags, vnodes, weighting };
      isFounder = await unlessAborted(signal, ring.bootstrap(config.nodes, options, founding));
      if (isFounder) await groups.found(formerGroups);
      belonging.begin();
    } else {
      identity.become(known.proxyId);
      standing.renew(known.proxyId);
      const { members, change } = known.ring.state;
      await masters.known([...members, ...(change?.members ?? [])], config.connectTimeout);
      await parts.predecessor.dropAll([...members, ...(change?.members ?? [])]);
      await ring.serveKnown(known.ring);
      void belonging.beginWhenReachable();
    }
    await groups.begin(known === null ? undefined : formerGroups);
    await admin.open(known?.ring ?? null);
    softState?.start({
      news: () => ({ generation: ring.generation, phase: ring.phase, load: admin.load() }),
      nodes: () => (ring.isKnown ? ring.view().nodes : []),
      plane,
    });
    await values.start(isFounder && former !== null && remembered === null);
    await masters.known(ring.routed, config.connectTimeout);
    await functions.spread(ring.nodes.map(reach));
    const listen = await plane.listen().catch((error: unknown) => {
      throw listenFailure('listen', config.listen, error);
    });
    const byTls = await plane.listenTls().catch((error: unknown) => {
      throw listenFailure('tls-listen', config.tlsListen, error);
    });
    strays.start();
    parts.strangerWatch.start();
    isServing = true;
    const running = { listen, ...(byTls === null ? {} : { tls: byTls }), admin: url, proxy: identity.proxyId };
    log.info(
      { ...running, version, workers: plane.workers.length, sockets: socketShortCuts() },
      `serving clients on ${servedAt(listen, byTls)}`,
    );
    const useLive = (read: Config): void => limits.use(pickLiveSettings(read));
    const useLogins = (read: Config): void => {
      access.use(read);
      ring.publishAnew();
    };
    const useFailing = (read: Config): void => {
      processes.use(read);
      ejection.use(read);
      ring.publishAnew();
    };
    const reload = new Reload(config, log, {
      logLevel: ({ logLevel }) => {
        log.level = logLevel;
      },
      adminToken: admin.takeTokens,
      adminTokenFile: admin.takeTokens,
      adminOperatorToken: admin.takeTokens,
      adminOperatorTokenFile: admin.takeTokens,
      adminViewerToken: admin.takeTokens,
      adminViewerTokenFile: admin.takeTokens,
      nodes: useLogins,
      nodeUsername: useLogins,
      nodePassword: useLogins,
      nodePasswordFile: useLogins,
      sentinelUsername: useLogins,
      sentinelPassword: useLogins,
      onNodeFailure: useFailing,
      onNodeRestart: useFailing,
      ejectAfter: ejection.use,
      ejectMaxNodes: ejection.use,
      minNodes: ejection.use,
      rejoinAfter: ejection.use,
      rejoinAfterMax: ejection.use,
      ...forLiveSettings(() => useLive),
    });
    return {
      ...{ listen, tls: byTls, admin: url, proxyId: identity.proxyId },
      health: () => admin.health(),
      reload(read, asked) {
        reload.take(read, asked);
        void tls.certificates.check(true);
      },
      close: (asked) => close(asked),
      abandon: () => close('abandoned', 0),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
