/**
 * The data plane in several processes. This one holds the listening socket and hands each client to a worker
 * (`client-placement.ts`); all workers are members of the fence; keys are moved by this process alone, for all of them.
 */
import { channel } from 'node:diagnostics_channel';
import type { WorkerView } from '../../../admin/api.js';
import { buildCommandTable, type CommandInfo } from '../../../commands/build.js';
import type { CommandTable } from '../../../commands/table.js';
import type { ValueStore } from '../../../fleet/values/store.js';
import type { NodeEndpoint } from '../../../node/endpoint.js';
import { type NodeIdentity, sameNode } from '../../../node/identity.js';
import type { NodeCredentials } from '../../../node/tls.js';
import type { KeyGroup } from '../../../proxy/caching/policy.js';
import type { HotReport } from '../../../proxy/measure/hot-keys/hot-report.js';
import { emptyPlaneStats, type PlaneStats } from '../../../proxy/measure/plane-stats.js';
import { Listener } from '../../../proxy/session/listener.js';
import { type LiveSettings, pickLiveSettings } from '../../../proxy/settings.js';
import type { RoutedNode, RoutingSnapshot } from '../../../proxy/snapshot.js';
import { LoopLag } from '../../../telemetry/loop-lag.js';
import { TrafficDetector } from '../../../telemetry/traffic-detector.js';
import { clockShift } from '../../../time/monotonic.js';
import { systemTimers, type Timers } from '../../../time/timers.js';
import type { TlsMaterial } from '../../../tls/material.js';
import type { FenceMember } from '../../../topology/state/change-protocol.js';
import type { FleetLink } from '../../fleet-link.js';
import type { PlaneHost, PlaneStanding, ProxyInfo } from '../../host.js';
import { dispatch, type Handlers } from '../dispatch.js';
import {
  type FromWorkerTable,
  type SentStanding,
  type SentSuspension,
  sentCredential,
  type WorkerOptions,
} from '../messages.js';
import { BoardFile } from '../subscription-board.js';
import type { OpenChannel } from './channel.js';
import { ClientLedger } from './client-ledger.js';
import { ClientPlacement } from './client-placement.js';
import { HotKeysOfWorkers } from './hot-keys-of-workers.js';
import { NodeStates } from './node-states.js';
import { PeerExchange } from './peer-exchange.js';
import { fenceWorkers } from './pool-fence.js';
import { PoolStats } from './pool-stats.js';
import { ScriptExchange } from './script-exchange.js';
import { SharedMoves } from './shared-moves.js';
import { SharedTopics } from './shared-topics.js';
import { SharedValues } from './shared-values.js';
import { StaleConnections, type StaleConnectionsOptions } from './stale-connections.js';
import { WorkerProcess } from './worker-process.js';

export interface WorkerPoolOptions extends StaleConnectionsOptions {
  readonly workers: number;
  readonly plane: WorkerOptions;
  readonly standing: PlaneStanding;
  readonly warn: (message: string) => void;
  /** Other proxies of the ring; null: this one is alone. */
  readonly fleet: FleetLink | null;
  /** @see DataPlaneHooks.beforeReturn */
  readonly beforeReturn: (node: NodeEndpoint) => Promise<void>;
  /** Starts a worker. */
  readonly open: OpenChannel;
  readonly timers?: Timers;
}

/** A worker that dies at once is not started again at once. */
const RESTART_MS = 200;
const POLL_MS = 1000;

export class WorkerPool implements PlaneHost {
  readonly #options: WorkerPoolOptions;
  readonly #timers: Timers;
  readonly #listener: Listener;
  readonly #tlsListener: Listener;
  /** What clients are shown by TLS. */
  #certificates: readonly TlsMaterial[];
  readonly #workers = new Set<WorkerProcess>();
  readonly #ledger: ClientLedger;
  readonly #clients: ClientPlacement<WorkerProcess>;
  readonly #moves = new SharedMoves(this.#workers);
  readonly #stats = new PoolStats(this.#workers);
  readonly #hotKeys: HotKeysOfWorkers;
  readonly #stale: StaleConnections;
  readonly #scripts: ScriptExchange;
  readonly #peers: PeerExchange;
  readonly #topics: SharedTopics;
  readonly #values: SharedValues;
  readonly #nodeStates = new NodeStates();
  readonly #traffic: TrafficDetector;
  readonly #lag = new LoopLag();
  readonly #board: BoardFile;
  #table: CommandTable = buildCommandTable();
  #commands: readonly CommandInfo[] = [];
  /** The settings that are in force by now, of those that may become others. */
  #live: LiveSettings;
  #groups: readonly KeyGroup[];
  /** Members, with how to log in. */
  #nodes: readonly RoutedNode[] = [];
  #describe: (stats: PlaneStats) => ProxyInfo = () => ({ redisVersion: '', lines: [], clients: 0 });
  /** As the workers know it. */
  #info: ProxyInfo = this.#describe(emptyPlaneStats());
  #suspension: SentSuspension | null = null;
  #nextWorker = 1;
  #closing = false;
  #closed: Promise<void> | null = null;
  /** Who waits until all workers have started. */
  #starting: { left: number; resolve: () => void; reject: (error: Error) => void } | null = null;
  /** Take back what is to start a worker in the place of one that died. */
  readonly #restarts = new Set<() => void>();
  #endPoll = (): void => {};

  readonly #handlers: Handlers<FromWorkerTable, [WorkerProcess]> = {
    started: (_message, worker) => this.#onStarted(worker),
    clients: (message, worker) => worker.onClients(message),
    'seat-wanted': ({ question, user }, worker) => {
      const granted = !this.#ledger.isFull('user', user);
      if (granted) this.#ledger.enter('user', user, worker);
      worker.send({ type: 'seat', question, granted });
    },
    'user-entered': ({ user }, worker) => this.#ledger.enter('user', user, worker),
    left: ({ left }, worker) => {
      for (const { by, name } of left) this.#ledger.leave(by, name, worker);
    },
    fenced: (message, worker) => worker.onFenced(message),
    stats: (message, worker) => worker.onStats(message),
    'hot-keys': (message) => this.#hotKeys.onAnswer(message),
    settle: (message, worker) => this.#moves.onSettle(worker, message),
    gone: (message, worker) => this.#moves.onGone(worker, message),
    hold: (message, worker) => this.#moves.onHold(worker, message),
    release: (message, worker) => this.#moves.onRelease(worker, message),
    learned: (message) => this.#scripts.onLearned(message),
    'script-wanted': (message, worker) => this.#scripts.onWanted(worker, message),
    'scripts-flushed': (_message, worker) => this.#scripts.onFlushed(worker),
    topics: (message, worker) => this.#topics.onTopics(worker, message),
    values: (message, worker) => this.#values.onValues(worker, message),
    'values-taken': (message, worker) => this.#values.onTaken(worker, message),
    'values-restamped': (message, worker) => this.#values.onRestamped(worker, message),
    busy: (message, worker) => {
      for (const other of this.#workers) if (other !== worker) other.send(message);
    },
    'peer-question': (message, worker) => void this.#peers.onQuestion(worker, message),
    'peer-answer': (message) => this.#peers.onAnswer(message),
    'peer-news': ({ news }, worker) => this.#peers.tellOthers(worker, news),
    returned: ({ node, question }, worker) => {
      void this.#beforeReturn(node).then(() => worker.send({ type: 'serves', question }));
    },
    'standing-asked': ({ question, proxy }, worker) => {
      void this.#options.standing.ask(proxy).then((ruling) => worker.send({ type: 'ruled', question, ruling }));
    },
    event: ({ channel: name, event }, worker) => {
      if (this.#nodeStates.isNews(worker.number, name, event)) channel(name).publish(event);
    },
  };

  constructor(options: WorkerPoolOptions) {
    const { plane, fleet, timers = systemTimers } = options;
    this.#options = options;
    this.#timers = timers;
    this.#groups = plane.keyGroups;
    this.#certificates = plane.tls?.certificates ?? [];
    this.#live = pickLiveSettings(plane);
    this.#board = new BoardFile(options.workers);
    this.#ledger = new ClientLedger(plane, timers);
    this.#clients = new ClientPlacement<WorkerProcess>(this.#workers, () => this.#live.maxClients, this.#ledger);
    this.#hotKeys = new HotKeysOfWorkers(this.#workers, timers);
    this.#stale = new StaleConnections(options);
    this.#scripts = new ScriptExchange(this.#workers, plane.scriptCache, fleet?.scripts ?? null);
    this.#peers = new PeerExchange(this.#workers, timers, fleet?.subscribers ?? null);
    this.#topics = new SharedTopics((topics) => fleet?.tell(topics));
    this.#values = new SharedValues(plane, timers);
    this.#listener = new Listener((socket) => this.#clients.place(socket));
    this.#tlsListener = new Listener((socket) => this.#clients.place(socket, true));
    this.#traffic = new TrafficDetector(() => {
      let commands = 0;
      for (const worker of this.#workers) commands += worker.commands;
      return commands;
    });
  }

  get workers(): WorkerView[] {
    return [...this.#workers].map(({ number, slot, pid, clients }) => ({ number, slot, pid, clients }));
  }

  get values(): ValueStore {
    return this.#values.store;
  }

  async listen(): Promise<string | null> {
    await new Promise<void>((resolve, reject) => {
      this.#starting = { left: this.#options.workers, resolve, reject };
      for (let i = 0; i < this.#options.workers; i++) this.#startWorker();
    });
    // The first client may ask for it.
    void this.#refreshInfo();
    // What a worker counted is not lost with it, but for the last second.
    this.#endPoll = this.#timers.every(POLL_MS, () => void this.#refreshInfo());
    const { listen } = this.#options.plane;
    return listen === null ? null : this.#listener.listen(listen);
  }

  async listenTls(): Promise<string | null> {
    const { tls } = this.#options.plane;
    return tls === null ? null : this.#tlsListener.listen(tls.listen);
  }

  useCertificates(certificates: readonly TlsMaterial[]): void {
    this.#certificates = certificates;
    for (const worker of this.#workers) worker.send({ type: 'certificates', certificates });
  }

  publish(snapshot: RoutingSnapshot): void {
    this.#nodes = snapshot.nodes;
    this.#nodeStates.keep(snapshot.nodes);
    this.#moves.publish(snapshot);
    if (this.#suspension?.endsWithRing === true) this.#suspension = null;
    // Who has heard that the ring has changed may ask a worker for it.
    void this.#refreshInfo();
  }

  /** Workers take messages in order: who answers this has taken what was published before. */
  async published(): Promise<void> {
    await this.stats();
  }

  useCredentials(credentials: NodeCredentials): void {
    for (const worker of this.#workers) worker.send({ type: 'credentials', ...sentCredential(credentials) });
  }

  fence(timeout: number): Promise<FenceMember[]> {
    return fenceWorkers(this.#workers, timeout, (late) => this.#stale.addLate(late), this.#timers);
  }

  killLateConnections(nodes: readonly NodeEndpoint[]): Promise<void> {
    return this.#stale.drop(nodes, (late) => {
      for (const worker of this.#workers) worker.send({ type: 'dropped', late });
    });
  }

  suspend(why: string): void {
    this.#options.standing.revoke();
    this.#suspension = { why, endsWithRing: false };
    this.renewed();
    for (const worker of this.#workers) worker.send({ type: 'suspend', why });
  }

  resume(proxyId: string): void {
    this.#options.standing.renew(proxyId);
    this.renewed();
    if (this.#suspension === null) return;
    this.#suspension = { ...this.#suspension, endsWithRing: true };
    for (const worker of this.#workers) worker.send({ type: 'resume' });
  }

  renewed(): void {
    const standing = this.#sentStanding;
    for (const worker of this.#workers) worker.send({ type: 'standing', ...standing });
  }

  sourceSwept(source: number): void {
    this.#moves.sourceSwept(source);
  }

  scriptBody(digest: string): Buffer | undefined {
    return this.#scripts.body(digest);
  }

  flushScripts(kept: ReadonlySet<string>): void {
    this.#scripts.flush(kept);
  }

  useSettings(settings: LiveSettings): void {
    this.#live = settings;
    this.#ledger.use(settings);
    for (const worker of this.#workers) worker.send({ type: 'settings', settings });
  }

  useGroups(groups: readonly KeyGroup[]): void {
    this.#groups = groups;
    for (const worker of this.#workers) worker.send({ type: 'groups', groups });
  }

  useCommands(commands: readonly CommandInfo[]): void {
    this.#commands = commands;
    this.#table = buildCommandTable(commands);
    for (const worker of this.#workers) worker.send({ type: 'commands', commands });
  }

  knows(command: string): boolean {
    return this.#table.get(command) !== undefined;
  }

  stats(): Promise<PlaneStats> {
    return this.#stats.read(this.#lag.seconds, () => this.#clients.turnedAway, this.#groups);
  }

  hotKeys(): Promise<HotReport> {
    return this.#hotKeys.read();
  }

  describeBy(describe: (stats: PlaneStats) => ProxyInfo): void {
    this.#describe = describe;
    this.#inform(emptyPlaneStats());
  }

  isBusy(): boolean {
    return this.#traffic.isBusy();
  }

  close(timeout: number): Promise<void> {
    this.#closing = true;
    this.#closed ??= this.#close(timeout);
    return this.#closed;
  }

  async #close(timeout: number): Promise<void> {
    this.#starting?.reject(new Error('stopped while it was starting'));
    for (const stop of this.#restarts) stop();
    this.#endPoll();
    this.#listener.stop();
    this.#tlsListener.stop();
    this.#clients.close();
    const workers = [...this.#workers];
    for (const worker of workers) worker.send({ type: 'close', timeout });
    const stopInsisting = this.#timers.after(timeout + 1000, () => {
      for (const worker of workers) worker.kill('SIGKILL');
    });
    await Promise.all(workers.map((worker) => worker.exited));
    stopInsisting();
    this.#board.close();
    this.#values.close();
    this.#ledger.close();
    this.#lag.stop();
  }

  /** A worker waits with a node that is back. One that has left the ring has nothing to wait for. */
  async #beforeReturn(node: NodeIdentity): Promise<void> {
    const own = this.#nodes.find((candidate) => sameNode(candidate, node));
    if (own !== undefined) await this.#options.beforeReturn(own);
  }

  async #refreshInfo(): Promise<void> {
    this.#inform(await this.stats());
  }

  #inform(stats: PlaneStats): void {
    this.#info = this.#describe(stats);
    for (const worker of this.#workers) worker.send({ type: 'info', ...this.#info });
  }

  #startWorker(): void {
    const worker = new WorkerProcess({
      number: this.#nextWorker++,
      slot: this.#freeSlot(),
      board: this.#board.fd,
      open: this.#options.open,
      timers: this.#timers,
      onMessage: (from, message) => dispatch(this.#handlers, message, from),
      onExit: (from, how) => this.#onExit(from, how),
    });
    this.#workers.add(worker);
    const { plane } = this.#options;
    worker.send({
      type: 'start',
      options: {
        ...{ ...plane, ...this.#live, keyGroups: this.#groups, proxyId: this.#nameOf(worker) },
        tls: plane.tls === null ? null : { ...plane.tls, certificates: this.#certificates },
      },
      commands: this.#commands,
      standing: this.#sentStanding,
      suspension: this.#suspension,
      number: worker.number,
      slot: worker.slot,
      workers: this.#options.workers,
      hasBoard: this.#board.fd !== null,
      hasFleet: this.#options.fleet !== null,
      snapshot: this.#moves.sent,
    });
    this.#values.join(worker);
    worker.send({ type: 'info', ...this.#info });
  }

  get #sentStanding(): SentStanding {
    const { id, validUntil } = this.#options.standing;
    return { proxy: id, validUntil, clockShift: clockShift() };
  }

  /** The least number from 1 on that no worker has. */
  #freeSlot(): number {
    const taken = new Set([...this.#workers].map(({ slot }) => slot));
    let slot = 1;
    while (taken.has(slot)) slot++;
    return slot;
  }

  /** Tells it from other workers, past ones too. */
  #nameOf(worker: WorkerProcess): string {
    return `${this.#options.plane.proxyId}.${worker.number}`;
  }

  #onStarted(worker: WorkerProcess): void {
    worker.onStarted();
    this.#peers.tellOthers(worker, { type: 'joined' });
    if (this.#starting !== null && --this.#starting.left === 0) this.#starting.resolve();
  }

  #onExit(worker: WorkerProcess, how: string): void {
    this.#workers.delete(worker);
    this.#board.clear(worker.slot);
    this.#ledger.onExit(worker);
    this.#stale.addDead(`ringproxy:${this.#options.standing.id}.${worker.number}`);
    this.#moves.onExit(worker);
    this.#topics.onExit(worker);
    this.#values.leave(worker);
    for (const end of this.#nodeStates.forget(worker.number)) channel(end.channel).publish(end.event);
    this.#peers.tellOthers(worker, { type: 'left', from: this.#nameOf(worker) });
    this.#stats.onExit(worker);
    if (this.#closing) return;
    const { number, pid, clients } = worker;
    this.#options.warn(
      `worker ${number} (process ${pid}) ended with ${how}: its ${clients} clients were cut, another one takes its place`,
    );
    const stop = this.#timers.after(RESTART_MS, () => {
      this.#restarts.delete(stop);
      this.#startWorker();
    });
    this.#restarts.add(stop);
  }
}
