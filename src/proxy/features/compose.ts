/** Builds the features of a data plane and ties them together: the only place where one of them meets another. */
import type { Command } from '../../commands/command.js';
import type { ProxyCommandName } from '../../commands/policy.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import { Invalidations } from '../invalidations/invalidations.js';
import type { ClientCount } from '../peers/clients.js';
import { LATER, type Verdict } from '../request/verdict.js';
import type { Router } from '../route/router.js';
import { type RunKeyed, runSpecial } from '../route/special.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { Blocking } from './blocking/blocking.js';
import { mayWait } from './blocking/blocking-frame.js';
import { clientCommands } from './clients/client-commands.js';
import { countAll, forgetCount } from './clients/client-count.js';
import { type ClientFacts, describeClient } from './clients/describe.js';
import { Guard } from './clients/guard.js';
import type { ClientPorts } from './clients/list-kill.js';
import { Pause } from './clients/pause.js';
import { clusterCommands, clusterFigures } from './cluster/cluster-commands.js';
import { connectionCommands } from './connection/connection-commands.js';
import type { LocalContext } from './context.js';
import { CrossNode } from './cross-node/cross-node.js';
import type { UnderWay } from './cross-node/running.js';
import { FillWait } from './fill/fill-wait.js';
import { FillsElsewhere } from './fill/fills-elsewhere.js';
import { NearAuto } from './hot/near-auto.js';
import { Limits } from './limits/limits.js';
import { NodesAge } from './limits/nodes-age.js';
import type { LocalCommand } from './local-command.js';
import { Monitors, monitor } from './monitor/monitors.js';
import { Near } from './near/near.js';
import { Policies } from './policies.js';
import { pubsubCommands } from './pubsub/commands.js';
import { FleetCounts, type OtherCounts } from './pubsub/other-counts.js';
import { PeerCounts } from './pubsub/peer-counts.js';
import { PeerSubscriptions } from './pubsub/peer-subscriptions.js';
import { PublishOrder } from './pubsub/publish-order.js';
import { PubSub } from './pubsub/pubsub.js';
import { SubscriberReport } from './pubsub/subscriber-report.js';
import { ReplicaReads } from './replica-reads/replica-reads.js';
import { Call } from './replicated/call.js';
import { KeysHere } from './replicated/keys-here.js';
import { Replicated } from './replicated/replicated.js';
import { ToldChanges } from './replicated/told-changes.js';
import { scriptCommands } from './scripts/script-commands.js';
import { ScriptStore } from './scripts/script-store.js';
import { Scripts } from './scripts/scripts.js';
import { ownPartOfSettings } from './server/config-command.js';
import type { EverywherePorts } from './server/everywhere.js';
import { serverCommands } from './server/server-commands.js';
import { trackingCommands } from './tracking/commands.js';
import { Tracking } from './tracking/tracking.js';
import type { Transaction } from './transactions/transaction.js';
import { Transactions } from './transactions/transactions.js';
import { aclCommands } from './users/acl-commands.js';
import { AclLog } from './users/acl-log.js';
import { Authentication } from './users/authentication.js';
import { onUsersChanged } from './users/changed-users.js';
import { QueuedLogins } from './users/queued-logins.js';
import { Rights } from './users/rights.js';

/** Which part of `near-memory` last values may take, beside it. */
const LAST_VALUES_PART = 8;
/** Nobody asks which keys it has: a fence waits for it. */
const TRANSACTION: UnderWay = { summary: 'a transaction over several nodes is under way', moves: () => true };
/** Of functions it is not known whether they write. */
const NO_FUNCTION = (): boolean => false;

/** The features of a data plane. */
export class Features {
  readonly router: Router;
  readonly context: LocalContext;
  /** Commands that wait at nodes. */
  readonly blocking: Blocking;
  /** What clients are subscribed to. */
  readonly pubsub: PubSub;
  /** Keeps what is published behind what was subscribed to before. */
  readonly publishOrder: PublishOrder;
  /** What nodes say of changed keys. */
  readonly invalidations = new Invalidations();
  /** Which clients are told of changes of which keys. */
  readonly tracking: Tracking;
  /** CLIENT PAUSE. */
  readonly pause: Pause;
  /** MONITOR. */
  readonly monitors: Monitors;
  /** What ends clients that look like an attack. */
  readonly guard: Guard;
  /** Scripts that clients have sent. */
  readonly scripts: Scripts;
  /** MULTI and WATCH. */
  readonly transactions: Transactions;
  /** What groups say of times to live and of values' sizes. */
  readonly limits: Limits;
  /** Misses that wait for the client that fills the key. */
  readonly fillWait: FillWait;
  /** Reads that replicas answer. */
  readonly replicaReads: ReplicaReads;
  /** How keys of groups are cached. */
  readonly policies: Policies;
  /** Commands that need one node, and have keys on several. */
  readonly crossNode: CrossNode;
  /** What is kept of near groups. */
  readonly near: Near;
  /** Which keys are kept near since they are hot; null: none are. */
  readonly nearAuto: NearAuto | null;
  /** What users may do. */
  readonly rights: Rights;
  /** What was denied lately. */
  readonly aclLog: AclLog;
  /** What CLIENT LIST and its like work with. */
  readonly clients: ClientPorts;
  /** What commands on every node work with. */
  readonly everywhere: EverywherePorts;
  /** By the command's name (`container|subcommand`). */
  readonly #handlers: ReadonlyMap<string, LocalCommand>;
  readonly #runCode: RunKeyed = (...call) => this.scripts.run(...call);

  /** @param attend is told whether every command must be looked at more closely: clients are paused, or monitored */
  constructor(router: Router, context: LocalContext, attend: (attentive: boolean) => void) {
    this.router = router;
    this.context = context;
    const { clock, requests, options, turn, clients } = context.shared;
    const { peers, board, fleet } = context;
    this.crossNode = new CrossNode(router, {
      codeOf: (client, command, source) => this.scripts.codeOf(client, command, source),
      isKnownToWrite: (command, source) => this.scripts.isKnownToWrite(command, source),
      waiting: {
        takes: (client, command, framer) => this.blocking.waitsApart(client, command, framer),
        begin: (client, command, framer, count) => this.blocking.beginApart(client, command, framer, count),
      },
    });
    router.apart = this.crossNode;
    this.limits = new Limits({
      router,
      areNodesNew: new NodesAge(clock, () => context.redisVersion()).areNew,
      random: Math.random,
    });
    this.fillWait = new FillWait({
      router,
      invalidations: this.invalidations,
      elsewhere: peers === null ? null : new FillsElsewhere(options.proxyId, peers),
      memory: options.nearMemory / LAST_VALUES_PART,
      random: Math.random,
    });
    const changed = (): void => attend(this.pause.active || this.monitors.active);
    this.blocking = new Blocking(router, peers, {
      isPaused: () => this.pause.active,
      moveElement: (client, move, hasWaited) => this.crossNode.moveElement(client, move, hasWaited),
      lookAtStreams: (client, call) => this.crossNode.lookAtStreams(client, call),
    });
    const report = fleet === null ? null : new SubscriberReport((topics) => fleet.report(topics));
    this.pubsub = new PubSub({ requests, options, board, report });
    const peerSubscriptions = peers === null || board === null ? null : new PeerSubscriptions(peers, board);
    this.publishOrder = new PublishOrder(this.pubsub, peerSubscriptions);
    const isSubscribed = (client: ClientConnection): boolean => this.pubsub.isSubscribed(client);
    this.tracking = new Tracking(options.trackingTableMaxKeys, clock, {
      invalidations: this.invalidations,
      isSubscribed,
      tellElsewhere: async (client, keys) => {
        const answers = (await peers?.ask({ type: 'invalidated', client, keys })) ?? [];
        if (answers.includes(1)) return true;
        return answers.includes(null) ? null : false;
      },
    });
    this.scripts = new Scripts(router, new ScriptStore(options.scriptCache, context.scriptPeers), this.publishOrder);
    this.guard = new Guard(clock);
    this.pause = new Pause({
      router,
      mayWrite: (command, framer, isReadOnly) => this.scripts.mayWrite(command, framer, isReadOnly),
      transactionOf: (client) => this.transactions.of(client),
      onChanged: () => {
        changed();
        this.blocking.onPause();
      },
    });
    this.monitors = new Monitors(turn, peers, options.proxyId, changed);
    const facts = this.#facts();
    const { users } = context.shared;
    this.clients = { clients, peers, facts, users };
    this.aclLog = new AclLog((client) => describeClient(facts, client));
    this.rights = new Rights(router, this.aclLog);
    const authentication = new Authentication({
      users,
      log: this.aclLog,
      counters: context.shared.counters,
      limits: context.shared.limits,
      now: () => clock.now,
    });
    const countPorts = { own: () => this.countClients(), all: () => context.allClients(), peers };
    this.everywhere = {
      router,
      peers,
      boundKeys: (maxKeys) => this.tracking.boundKeys(maxKeys),
      countClients: (client) => countAll(countPorts, client),
      forgetCount,
      proxyInfo: () => context.proxyInfo(),
      figures: () => ({ ...this.tracking.figures, ...clusterFigures(options.clusterMode) }),
      runScriptCommand: scriptCommands({ router, scripts: this.scripts, peers }),
      runKeyed: this.runKeyed,
    };
    this.transactions = this.#createTransactions(new QueuedLogins(authentication, context.shared.limits));
    this.near = new Near({
      router,
      invalidations: this.invalidations,
      memory: options.nearMemory,
      isEarly: (client, source, start, end, left) => this.fillWait.isEarly(client, source, start, end, left),
      fieldsMayEnd: () => fieldsMayEnd(context.redisVersion()),
      queuedBy: (client) => this.transactions.of(client)?.queuedKeys ?? null,
    });
    this.nearAuto = options.nearAuto === 'on' ? this.#createNearAuto() : null;
    this.replicaReads = new ReplicaReads({
      router,
      someRun: () => !this.crossNode.running.isIdle,
      queuedBy: (client) => this.transactions.of(client)?.queuedKeys ?? null,
    });
    this.policies = new Policies(
      [this.limits, this.#createReplicated(), this.near, this.fillWait, this.replicaReads],
      [this.limits, this.fillWait],
    );
    const others = otherCounts(context);
    const { pubsub, publishOrder, tracking } = this;
    const handlers = {
      ...connectionCommands({
        router,
        isSubscribed,
        redisVersion: () => context.redisVersion(),
        users,
        logIn: (client, name, password) => authentication.logIn(client, name, password, client.collectsReply),
        leaveAll: (client) => this.#leaveAll(client),
      }),
      ...clientCommands(this.clients, this.pause),
      ...pubsubCommands({ router, pubsub, publishOrder, others }),
      ...trackingCommands({ router, tracking, peers }),
      ...clusterCommands(router),
      ...serverCommands(router),
      ...aclCommands({ router, users, rights: this.rights, log: this.aclLog, peers }),
      ...this.transactions.commands,
      exec: (client, command, framer) => {
        if (this.replicaReads.onExec(client)) return LATER;
        this.near.onExec(client);
        this.fillWait.onExec(client);
        return this.transactions.commands.exec(client, command, framer);
      },
      ...this.blocking.commands,
      monitor: monitor(this.monitors),
    } satisfies Readonly<Record<ProxyCommandName, LocalCommand>>;
    this.#handlers = new Map(Object.entries<LocalCommand>(handlers));
  }

  #createNearAuto(): NearAuto {
    const { router, context, near } = this;
    const { groups } = context.shared.counters;
    return new NearAuto({
      used: (now) => context.hotKeys.read(now),
      allows: (key) => groups.policyOfGroup(key, 0, key.length) === null,
      nodes: () => router.nodes.length,
      keep: (policies) => {
        const before = groups.keysWithPolicies;
        groups.useKeys(policies);
        near.onKeys(before.filter((key) => groups.policyOf(key, 0, key.length)?.cache !== 'near'));
      },
    });
  }

  #createReplicated(): Replicated {
    const { router } = this;
    const { shared, values } = this.context;
    const { groups } = shared.counters;
    const isHere = (key: Buffer): boolean => groups.policyOfGroup(key, 0, key.length)?.cache === 'replicated';
    const call = new Call(values, isHere, (key, hit) => shared.counters.read(groups.groupOf(key, 0, key.length), hit));
    router.localKeys = new KeysHere(call, groups);
    values.listen(new ToldChanges(this.tracking));
    return new Replicated(router, groups, call);
  }

  #createTransactions(logins: QueuedLogins): Transactions {
    const { scripts, publishOrder } = this;
    return new Transactions(this.router, this.context.peers, {
      logins,
      scripts,
      publishGate: publishOrder,
      mayWrite: (command, framer) => scripts.mayWrite(command, framer, NO_FUNCTION),
      ownPartOfSettings: (framer) => ownPartOfSettings(this.everywhere, framer),
      isUnderWay: (ended) => this.crossNode.running.add({ ...TRANSACTION }, ended),
      runLocal: (client, command, framer) => {
        this.handlerOf(command)?.(client, command, framer);
      },
    });
  }

  /** Who answers a command that the proxy answers itself; undefined: it is none. */
  handlerOf(command: Command): LocalCommand | undefined {
    return this.#handlers.get(command.name);
  }

  /** Queues a command on a key whose group has a policy, with what its group's limits add. */
  queueManaged(client: ClientConnection, transaction: Transaction, command: Command, framer: RequestFramer): Verdict {
    const refusal = this.limits.prepare(command, framer);
    if (refusal !== null) return this.router.refuse(client, command, refusal);
    const verdict = this.transactions.queue(client, transaction, command, framer);
    this.limits.queueBehind(framer, command, ({ bytes, length }) => transaction.addUnseen(bytes, length));
    return verdict;
  }

  /** Clients of this process. */
  countClients(): ClientCount {
    return { connected: this.context.shared.clients.size, blocked: this.pause.waiting + this.blocking.waitingHere };
  }

  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.blocking.onPublish(snapshot, nodes);
    this.pubsub.onPublish(snapshot, nodes);
    this.invalidations.onPublish(snapshot, nodes);
    this.near.onPublish(nodes);
    this.replicaReads.onPublish(snapshot, nodes);
    this.transactions.onPublish(snapshot, nodes);
  }

  /** Forwards the frame to the owner of its keys; one that may wait at the node gets a lane of its own. */
  readonly runKeyed: RunKeyed = (client, command, owner, source, framer, keys, keyHash) => {
    if (command.waits !== null && mayWait(command, framer)) return this.blocking.begin(client, command, framer, owner);
    if (command.special === null) return this.router.forward(client, command, owner, source, framer, keys, keyHash);
    return runSpecial(this.router, client, command, owner, source, framer, keys, keyHash, this.#runCode);
  };

  /** Users have become others. */
  onUsers(): void {
    const { users, clients } = this.context.shared;
    onUsersChanged({ users, topicsOf: (client) => this.pubsub.topicsOf(client) }, clients);
  }

  /** The client's reads that wait see their misses: once it has stopped, since only a reply lets it go on. */
  onBarrier(client: ClientConnection): void {
    process.nextTick(() => this.fillWait.releaseAll(client));
  }

  /** The client has left. */
  onClosed(client: ClientConnection): void {
    this.#leaveAll(client);
    this.pause.forget(client);
    this.fillWait.forget(client);
    this.publishOrder.forget(client);
    this.near.forget(client);
  }

  #leaveAll(client: ClientConnection): void {
    this.transactions.forget(client);
    this.pubsub.forget(client);
    this.tracking.stop(client);
    this.monitors.forget(client);
  }

  #facts(): ClientFacts {
    return {
      isSubscribed: (client) => this.pubsub.isSubscribed(client),
      subscriptions: (client) => this.pubsub.countsOf(client),
      transaction: (client) => this.transactions.figuresOf(client),
      tracking: (client) => {
        const state = this.tracking.of(client);
        return state === null ? null : { isBroken: state.redirectIsBroken, bcast: state.options.bcast };
      },
      redirect: (client) => this.tracking.redirectOf(client),
    };
  }
}

/** Whether nodes of this version may have times of expiry for fields of hashes (Redis 7.4 and newer). */
function fieldsMayEnd(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return !(major < 7 || (major === 7 && minor < 4));
}

/** Whom to ask for subscribers that are not this data plane's; null: there is nobody. */
function otherCounts({ peers, fleet }: LocalContext): OtherCounts | null {
  if (peers !== null) return new PeerCounts(peers);
  return fleet?.subscribers ? new FleetCounts(fleet.subscribers) : null;
}
