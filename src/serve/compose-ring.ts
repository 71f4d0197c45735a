/** Composition: the ring, with all that a change of it needs of the rest. */
import type { Config } from '../config/settings.js';
import type { Masters } from '../failover/masters.js';
import { emptyNode } from '../health/empty.js';
import { nodeChecks } from '../health/node-checks.js';
import type { NodeMonitors } from '../health/node-monitors.js';
import type { OwnIdentity } from '../identity.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { NO_PROCESS } from '../node/restarted.js';
import type { PlaneHost } from '../plane/host.js';
import type { RoutedNode, RoutingSnapshot } from '../proxy/snapshot.js';
import { killEarlierMovers, killProxies, listProxies } from '../rebalance/connections.js';
import type { FunctionKeeper } from '../rebalance/function-keeper.js';
import { KeyMoving } from '../rebalance/key-moving.js';
import { MOVES_PATH } from '../rebalance/moves/peer-protocol.js';
import type { NodeLink } from '../rebalance/node-link.js';
import type { Logger } from '../telemetry/log.js';
import { systemTimers } from '../time/timers.js';
import { StrangerWatch } from '../topology/admission/stranger-watch.js';
import { refuseStrangers, type StrangerPorts } from '../topology/admission/strangers.js';
import { RING_PATH } from '../topology/coordinator/forwarding.js';
import { EjectionNotes } from '../topology/ejection/notes.js';
import { publishGeneration } from '../topology/events.js';
import { keysOfNoNode } from '../topology/groups/hidden-keys.js';
import type { LiveGroups } from '../topology/groups/live-groups.js';
import { StrayChecks } from '../topology/jobs/stray-checks.js';
import { Belonging } from '../topology/participant/belonging.js';
import { type LeavingPorts, leaveFleet } from '../topology/participant/leaving.js';
import { OwnPredecessor } from '../topology/participant/own-predecessor.js';
import type { OwnStanding, StandingPorts } from '../topology/participant/own-standing.js';
import { RingManager } from '../topology/ring-manager.js';
import { type Member, RECORD_FORMAT } from '../topology/state/ring-state.js';
import type { RingStore } from '../topology/store/ring-store.js';
import { Upkeep } from '../topology/upkeep.js';
import { ChangeWatcher } from '../topology/views/change-watcher.js';
import { EjectionWatcher } from '../topology/views/ejection-watcher.js';
import type { PeersParts } from './compose-peers.js';
import type { ReachMember } from './reach.js';

export interface RingNeeds {
  readonly config: Config;
  /** Processes that serve clients. */
  readonly workers: number;
  readonly identity: OwnIdentity;
  readonly store: RingStore;
  /** URL of this proxy's admin API, as others reach it; empty: it has none. */
  readonly advertised: () => string;
  readonly log: Logger;
  readonly reach: ReachMember;
  readonly masters: Masters<Member>;
  readonly standing: OwnStanding;
  /** How others are asked, and what they are answered; null: this proxy is alone. */
  readonly peers: Pick<PeersParts, 'peers' | 'handlers'> | null;
  readonly plane: PlaneHost;
  readonly monitors: NodeMonitors;
  readonly functions: FunctionKeeper;
  readonly groups: Pick<LiveGroups, 'inForce'>;
}

export interface RingParts {
  readonly ring: RingManager;
  readonly strays: StrayChecks;
  readonly belonging: Belonging;
  readonly strangerWatch: StrangerWatch;
  /** For a start under an id that another process of this proxy had. */
  readonly predecessor: OwnPredecessor;
  /** Takes this proxy out of its fleet; to be called when it serves nobody, and moves nothing, any more. */
  readonly leave: () => Promise<void>;
  readonly standing: StandingPorts;
  /** Shown with the nodes. */
  readonly ejectionNotes: EjectionNotes;
  /** A connection for looking at a node's keys. @throws NodeFailure */
  readonly openLink: (node: Member) => Promise<NodeLink>;
  /** Empties a server that is not the node's yet. @see emptyNode */
  readonly emptyServer: (server: NodeEndpoint, mayRemove: (runId: string) => Promise<void>) => Promise<string>;
}

export function composeRing({
  config,
  workers,
  identity,
  store,
  advertised,
  log,
  reach,
  masters,
  standing,
  peers,
  plane,
  monitors,
  functions,
  groups,
}: RingNeeds): RingParts {
  const { connectTimeout } = config;
  const warn = (message: string): void => log.warn(message);
  const watcher = new ChangeWatcher(config.coordination === 'none');
  const ejections = new EjectionWatcher();
  const ejectionNotes = new EjectionNotes();
  const watch = (): void => {
    if (!ring.isKnown) return;
    const view = ring.view();
    watcher.observe(view);
    ejections.observe(view);
  };
  const moving = new KeyMoving<Member>({
    standing,
    connectTimeout,
    reach,
    isBusy: () => plane.isBusy(),
    onMoved: (keys, bytes) => watcher.countMoved(keys, bytes),
    onFailure: watch,
  });
  const openLink = (node: Member): Promise<NodeLink> => moving.open(node);
  const upkeep = new Upkeep();
  const strangers: StrangerPorts = {
    connections: (nodes) => listProxies(nodes.map(reach), connectTimeout),
    known: async () => [standing.id, ...(await store.members()).map(({ id }) => id)],
  };
  const checks = nodeChecks<Member>(reach, config, standing);
  const strays = new StrayChecks({
    upkeep,
    open: openLink,
    stable: () => ring.stableRing,
    runId: (node) => monitors.runIdOf(node),
    runIds: (nodes) => checks.runIds(nodes),
    refuseStrangers: async (nodes) => void (await refuseStrangers(nodes, false, strangers)),
    keysOfNoNode: () => keysOfNoNode(groups.inForce.groups),
    warn,
  });
  const predecessor = new OwnPredecessor((node) => killProxies([reach(node)], [standing.id], connectTimeout));
  let told: RoutingSnapshot | null = null;
  const ring: RingManager = new RingManager(() => identity.proxyId, store, {
    ...checks,
    databases: config.databases,
    publish: (members) => {
      masters.watch(members.nodes, ring.ejected);
      const snapshot = {
        ...members,
        nodes: members.nodes.map((node) => ({ ...reach(node), isGivenUp: node.isGivenUp })),
      };
      upkeep.follow(snapshot.phase === 'stable', snapshot.phase === 'preparing');
      // Where another process was found, no connection of before is left either, and the proxies are told so.
      const isOther = (node: RoutedNode): boolean => ![null, node.process].includes(monitors.otherProcessOf(node));
      plane.publish({
        ...snapshot,
        nodes: snapshot.nodes.map((node) => (node.process && isOther(node) ? { ...node, process: NO_PROCESS } : node)),
      });
      monitors.watch(snapshot.nodes, ring.ejected.map(reach));
      // The same ring is published once more when a node is reached otherwise.
      if (told?.rings !== snapshot.rings || told.phase !== snapshot.phase || told.generation !== snapshot.generation)
        publishGeneration(snapshot.generation, snapshot.nodes);
      told = snapshot;
      watch();
    },
    inspect: async (node) => {
      await masters.known([node], connectTimeout);
      return checks.inspect(node);
    },
    health: (node) => monitors.healthOf(node),
    master: (node) => masters.view(node),
    speaksTls: (node) => reach(node).tls !== undefined,
    ejectionNotes,
    strangers,
    clearStrays: (...change) => strays.clearBefore(...change),
    bringFunctions: (members, node) => functions.bring(members.map(reach), reach(node)),
    flush: (node) => upkeep.run(`empties ${node.name} (${node.address})`, () => checks.flush(node)),
    empty: (node, mayRemove) =>
      upkeep.run(
        `empties ${node.name} (${node.address})`,
        () => checks.empty(node, mayRemove),
        // Asked for a node that was restarted, whose process may not serve yet.
        mayRemove !== undefined,
      ),
    fence: async (timeout) => {
      const [processes, own] = await Promise.all([plane.fence(timeout), upkeep.fence(timeout)]);
      return [...processes, own];
    },
    killLateConnections: async (nodes) => {
      await predecessor.dropRest(nodes);
      await plane.killLateConnections(nodes.map(reach));
    },
    killPredecessors: (nodes, proxies) => killProxies(nodes.map(reach), proxies, connectTimeout),
    killEarlierMovers: (nodes, { id: source }, { revision }) =>
      killEarlierMovers(nodes.map(reach), { source, revision }, connectTimeout),
    survey: (...change) => moving.survey(...change),
    createMover: (...change) => moving.createMover(...change),
    onSourceSwept: (source) => plane.sourceSwept(source),
    memberInfo: () => ({
      admin: advertised(),
      version: identity.version,
      workers,
      startedAt: new Date(identity.startedAt).toISOString(),
      format: RECORD_FORMAT,
      agreesOnMasters: true,
    }),
    peers: peers?.peers ?? null,
    noted: watch,
    warn,
    info: (message) => log.info(message),
    debug: (message) => log.debug(message),
  });
  peers?.handlers.on(RING_PATH, ({ body }) => ring.answerPeer(body));
  peers?.handlers.on(MOVES_PATH, ({ from, body }) => ring.answerMoves(from, body));
  store.watch(({ kind }) => {
    if (kind === 'standing') plane.renewed();
  });
  const belonging = new Belonging({
    memberId: () => identity.proxyId,
    store,
    suspend: (why) => {
      standing.revoke();
      plane.suspend(why);
    },
    leave: () => ring.leave(),
    join: () => ring.join(),
    joinAnew: async () => {
      identity.become();
      standing.renew(identity.proxyId);
      plane.resume(identity.proxyId);
      await ring.join();
    },
    warn,
  });
  const standingPorts: StandingPorts = {
    store,
    consistency: () => ring.consistency,
    onFencedOff: () => belonging.look(),
  };
  const strangerWatch = new StrangerWatch({ ...strangers, nodes: () => ring.routed, warn }, systemTimers);
  const leaving: LeavingPorts = {
    ...{ standing, store, predecessor },
    nodes: () => ring.routed,
    info: (message) => log.info(message),
  };
  const leave = (): Promise<void> => leaveFleet(leaving);
  const emptyServer: RingParts['emptyServer'] = (server, mayRemove) =>
    upkeep.run(
      `empties ${server.name} (${server.address})`,
      () => emptyNode(server, config.databases, connectTimeout, standing, mayRemove),
      true,
    );
  return {
    ring,
    strays,
    belonging,
    strangerWatch,
    predecessor,
    leave,
    standing: standingPorts,
    openLink,
    emptyServer,
    ejectionNotes,
  };
}
