/**
 * The data plane in several processes. This one holds the listening socket and hands each client to the worker
 * with the fewest; all workers are members of the fence; keys are moved by this process alone, for all of them.
 */
import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { WorkerView } from '../../../admin/api.js';
import { buildCommandTable, type CommandInfo } from '../../../commands/build.js';
import type { CommandTable } from '../../../commands/table.js';
import { type ClientEvent, clientRejected } from '../../../proxy/events.js';
import { ScriptStore } from '../../../proxy/features/scripts/script-store.js';
import type { KeyMoves } from '../../../proxy/key-moves.js';
import { emptyPlaneStats, type PlaneStats, readProcess, sumPlaneStats } from '../../../proxy/measure/plane-stats.js';
import type { PeerAnswer, PeerNews, PeerQuestion } from '../../../proxy/peers/peers.js';
import { Listener, type ListenTarget } from '../../../proxy/session/listener.js';
import type { RoutingSnapshot } from '../../../proxy/snapshot.js';
import type { LateConnection, LateKiller } from '../../../rebalance/connections.js';
import type { NodeSpec } from '../../../ring/node-spec.js';
import { LoopLag } from '../../../telemetry/loop-lag.js';
import { TrafficDetector } from '../../../telemetry/traffic-detector.js';
import { LATE, within } from '../../../time/within.js';
import type { FenceMember } from '../../../topology/state/change-protocol.js';
import { type PlaneHost, type ProxyInfo, stillInFlight } from '../../host.js';
import { type AccessTable, type FromWorker, toSent, type WorkerOptions } from '../messages.js';
import { Questions } from '../questions.js';
import { BoardFile } from '../subscription-board.js';
import { NodeStates } from './node-states.js';
import { WorkerProcess } from './worker-process.js';

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly plane: WorkerOptions;
  readonly access: AccessTable;
  readonly killLate: LateKiller;
  /** Makes the nodes drop connections with these names. @throws Error when one cannot be asked */
  readonly killNamed: (nodes: readonly NodeSpec[], isGone: (name: string) => boolean) => Promise<void>;
  readonly warn: (message: string) => void;
  /** @see DataPlaneHooks.beforeReturn */
  readonly beforeReturn: (node: NodeSpec) => Promise<void>;
}

/** A worker that dies at once is not started again at once. */
const RESTART_MS = 200;
/** Of a worker that does not say what it counted in this time there are the figures that it gave before. */
const STATS_TIMEOUT_MS = 1000;
const POLL_MS = 1000;
/** What a worker may take longer than it was given for the fence, before it counts as stalled. */
const FENCE_MARGIN_MS = 500;
const TOO_MANY_CLIENTS = '-ERR max number of clients reached\r\n';

export class WorkerPool implements PlaneHost {
  readonly #options: WorkerPoolOptions;
  readonly #listener: Listener;
  readonly #workers = new Set<WorkerProcess>();
  readonly #traffic: TrafficDetector;
  readonly #lag = new LoopLag();
  readonly #scripts: ScriptStore;
  readonly #nodeStates = new NodeStates();
  readonly #board: BoardFile;
  readonly #peerQuestions = new Questions<PeerAnswer | null>(null);
  /** Names of connections of workers that died, until their nodes have dropped them, by node. */
  readonly #dead = new Map<string, Set<string>>();
  readonly #deadNames = new Set<string>();
  /** Connections of living workers that ended with commands in flight. */
  readonly #late = new Map<string, LateConnection>();
  /** What workers that died had counted. */
  #past: PlaneStats[] = [];
  #poll: NodeJS.Timeout | null = null;
  #table: CommandTable = buildCommandTable();
  #commands: readonly CommandInfo[] = [];
  #describe: (stats: PlaneStats) => ProxyInfo = () => ({ redisVersion: '', lines: [], clients: 0 });
  /** As the workers know it. */
  #info: ProxyInfo = this.#describe(emptyPlaneStats());
  #snapshot: RoutingSnapshot | null = null;
  /** Number of the change whose keys move; 0: none does. */
  #moves = 0;
  #changes = 0;
  /** Sources that were swept, of each that moves keys: one goes on behind a cancel that has failed. */
  readonly #sweptBy = new WeakMap<KeyMoves, Set<number>>();
  #nextWorker = 1;
  #nextClient = 1;
  #rejected = 0;
  #closing = false;
  /** Who waits until all workers have started. */
  #starting: { left: number; resolve: () => void } | null = null;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#board = new BoardFile(options.workers);
    // All that workers have told of; one that has started since asks for what it needs.
    this.#scripts = new ScriptStore(options.plane.scriptCache, null);
    this.#listener = new Listener((socket) => this.#onSocket(socket));
    this.#traffic = new TrafficDetector(() => {
      let commands = 0;
      for (const worker of this.#workers) commands += worker.commands;
      return commands;
    });
  }

  get workers(): WorkerView[] {
    return [...this.#workers].map(({ number, slot, pid, clients }) => ({ number, slot, pid, clients }));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#starting = { left: this.#options.workers, resolve };
      for (let i = 0; i < this.#options.workers; i++) this.#startWorker();
    });
    // What a worker counted is not lost with it, but for the last second.
    this.#poll = setInterval(() => void this.stats().then((stats) => this.#inform(stats)), POLL_MS);
    const target: ListenTarget = this.#options.plane.listen;
    return this.#listener.listen(target);
  }

  publish(snapshot: RoutingSnapshot): void {
    // One that goes on is a new number as well: what workers were told before they forgot may still be on its way.
    if (snapshot.moves !== this.#snapshot?.moves) this.#moves = snapshot.moves === null ? 0 : ++this.#changes;
    this.#snapshot = snapshot;
    const sent = toSent(snapshot, this.#moves, [...this.#swept()]);
    for (const worker of this.#workers) worker.send({ type: 'publish', snapshot: sent });
  }

  async fence(timeout: number): Promise<FenceMember[]> {
    const workers = [...this.#workers];
    const limit = timeout + FENCE_MARGIN_MS;
    const results = await Promise.all(workers.map((worker) => within(limit, worker.fence(timeout))));
    return results.map((result, i): FenceMember => {
      const worker = workers[i] as WorkerProcess;
      // One that died has nothing in flight but what its connections left at the nodes, and those are dropped.
      if (worker.ended || result === null) return { acknowledged: true, why: '' };
      if (result === LATE) {
        const which = `worker ${worker.number} (process ${worker.pid})`;
        return {
          acknowledged: false,
          why: `${which} does not answer: if it is stalled, end it, another one takes its place`,
        };
      }
      if (result.slow.length > 0) {
        return { acknowledged: false, why: stillInFlight(result.slow) };
      }
      for (const late of result.late) this.#late.set(`${late.node}\n${late.address}\n${late.id}`, late);
      return { acknowledged: true, why: '' };
    });
  }

  async killLateConnections(nodes: readonly NodeSpec[]): Promise<void> {
    const dropped: LateConnection[] = [];
    try {
      await this.#options.killLate(nodes, [...this.#late.values()], (late) => {
        dropped.push(late);
        this.#late.delete(`${late.node}\n${late.address}\n${late.id}`);
      });
    } finally {
      for (const worker of this.#workers) worker.send({ type: 'dropped', late: dropped });
    }
    for (const node of nodes) {
      const identity = `${node.name}\n${node.address}`;
      const known = this.#dead.get(identity) ?? new Set<string>();
      const gone = [...this.#deadNames].filter((name) => !known.has(name));
      if (gone.length === 0) continue;
      await this.#options.killNamed([node], (name) => gone.includes(name));
      for (const name of gone) known.add(name);
      this.#dead.set(identity, known);
    }
  }

  sourceSwept(source: number): void {
    this.#swept().add(source);
    for (const worker of this.#workers) worker.send({ type: 'swept', moves: this.#moves, source });
  }

  #swept(): Set<number> {
    const moves = this.#snapshot?.moves ?? null;
    if (moves === null) return new Set();
    const swept = this.#sweptBy.get(moves) ?? new Set();
    this.#sweptBy.set(moves, swept);
    return swept;
  }

  useCommands(commands: readonly CommandInfo[]): void {
    this.#commands = commands;
    this.#table = buildCommandTable(commands);
    for (const worker of this.#workers) worker.send({ type: 'commands', commands });
  }

  knows(command: string): boolean {
    return this.#table.get(command) !== undefined;
  }

  async stats(): Promise<PlaneStats> {
    const workers = [...this.#workers];
    await Promise.all(workers.map((worker) => worker.stats(STATS_TIMEOUT_MS)));
    const parts = workers.flatMap((worker) => {
      // Of one that did not answer in time there is what it said before: a counter must not fall and rise again. What
      // one had counted that has died meanwhile is among the past already.
      const stats = worker.ended ? null : worker.lastStats;
      return stats === null ? [] : [inSlot(stats, worker.slot)];
    });
    const sum = sumPlaneStats([...parts, ...this.#past]);
    const primary = readProcess('primary', 0, this.#lag.seconds);
    sum.residentMemory += primary.residentMemory;
    sum.heapUsed += primary.heapUsed;
    sum.cpuSeconds += primary.cpuSeconds;
    sum.processes.push(primary);
    sum.clientsRejected += this.#rejected;
    return sum;
  }

  describeBy(describe: (stats: PlaneStats) => ProxyInfo): void {
    this.#describe = describe;
    this.#inform(emptyPlaneStats());
  }

  isBusy(): boolean {
    return this.#traffic.isBusy();
  }

  async close(timeout: number): Promise<void> {
    this.#closing = true;
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#listener.stop();
    const workers = [...this.#workers];
    for (const worker of workers) worker.send({ type: 'close', timeout });
    const insist = setTimeout(() => {
      for (const worker of workers) worker.kill('SIGKILL');
    }, timeout + 1000);
    await Promise.all(workers.map((worker) => worker.exited));
    clearTimeout(insist);
    this.#board.close();
    this.#lag.stop();
  }

  #inform(stats: PlaneStats): void {
    this.#info = this.#describe(stats);
    for (const worker of this.#workers) worker.send({ type: 'info', ...this.#info });
  }

  #startWorker(): void {
    const worker = new WorkerProcess(
      this.#nextWorker++,
      this.#freeSlot(),
      this.#board.fd,
      (from, message) => this.#onMessage(from, message),
      (from, how) => this.#onExit(from, how),
    );
    this.#workers.add(worker);
    const { plane, access } = this.#options;
    worker.send({
      type: 'start',
      options: { ...plane, proxyId: this.#nameOf(worker) },
      access,
      commands: this.#commands,
      slot: worker.slot,
      workers: this.#options.workers,
      hasBoard: this.#board.fd !== null,
      snapshot: this.#snapshot === null ? null : toSent(this.#snapshot, this.#moves, [...this.#swept()]),
    });
    worker.send({ type: 'info', ...this.#info });
  }

  /** The least number from 1 on that no worker has. */
  #freeSlot(): number {
    const taken = new Set([...this.#workers].map(({ slot }) => slot));
    let slot = 1;
    while (taken.has(slot)) slot++;
    return slot;
  }

  /** Tells its connections at the nodes from those of other workers, past ones too. */
  #nameOf(worker: WorkerProcess): string {
    return `${this.#options.plane.proxyId}.${worker.number}`;
  }

  #onExit(worker: WorkerProcess, how: string): void {
    this.#workers.delete(worker);
    this.#board.clear(worker.slot);
    this.#deadNames.add(`ringproxy:${this.#nameOf(worker)}`);
    for (const { by } of worker.holds.splice(0)) by.releaseMoves();
    for (const end of this.#nodeStates.forget(worker.number)) channel(end.channel).publish(end.event);
    this.#tellOthers(worker, { type: 'left', from: this.#nameOf(worker) });
    if (worker.lastStats !== null) this.#past = [sumPlaneStats([...this.#past, countersOf(worker.lastStats)])];
    if (this.#closing) return;
    const lost = worker.clients;
    this.#options.warn(
      `worker ${worker.number} (process ${worker.pid}) ended with ${how}: its ${lost} clients were cut, another one takes its place`,
    );
    setTimeout(() => {
      if (!this.#closing) this.#startWorker();
    }, RESTART_MS);
  }

  #onMessage(worker: WorkerProcess, message: FromWorker): void {
    switch (message.type) {
      case 'started':
        worker.started = true;
        this.#tellOthers(worker, { type: 'joined' });
        if (this.#starting !== null && --this.#starting.left === 0) this.#starting.resolve();
        break;
      case 'settle':
        this.#settle(worker, message);
        break;
      case 'gone':
        if (message.moves !== this.#moves) break;
        for (const { source, database, key } of message.keys) {
          this.#snapshot?.moves?.noteGone(source, database, Buffer.from(key.buffer, key.byteOffset, key.byteLength));
        }
        break;
      case 'hold':
        this.#hold(worker, message.moves);
        break;
      case 'release':
        this.#release(worker, message.moves);
        break;
      case 'learned':
        this.#scripts.add(Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength));
        break;
      case 'script-wanted':
        // What other workers have sent before may be waiting to be read in this turn of the event loop.
        setImmediate(() => {
          const body = this.#scripts.get(message.digest) ?? null;
          worker.send({ type: 'script', question: message.question, body });
        });
        break;
      case 'scripts-flushed':
        this.#scripts.flush();
        for (const other of this.#workers) if (other !== worker) other.send({ type: 'scripts-flushed' });
        break;
      case 'busy':
        for (const other of this.#workers) if (other !== worker) other.send(message);
        break;
      case 'peer-question':
        void this.#askOthers(worker, message.question, message.body);
        break;
      case 'peer-answer':
        this.#peerQuestions.answer(message.question, message.answer);
        break;
      case 'peer-news':
        this.#tellOthers(worker, message.news);
        break;
      case 'returned':
        void this.#options
          .beforeReturn(message.node)
          .then(() => worker.send({ type: 'serves', question: message.question }));
        break;
      case 'event':
        if (this.#nodeStates.isNews(worker.number, message.channel, message.event)) {
          channel(message.channel).publish(message.event);
        }
        break;
      default:
        break;
    }
  }

  #tellOthers(worker: WorkerProcess, news: PeerNews): void {
    for (const other of this.#workers) if (other !== worker) other.news.send(news);
  }

  /** One that is stalled is not waited for. */
  async #askOthers(worker: WorkerProcess, question: number, body: PeerQuestion): Promise<void> {
    const others = [...this.#workers].filter((other) => other !== worker && other.started);
    const answers = await Promise.all(
      others.map((other) =>
        this.#peerQuestions.ask((asked) => other.send({ type: 'peer-asked', question: asked, body })),
      ),
    );
    worker.send({ type: 'peer-answers', question, answers });
  }

  #settle(worker: WorkerProcess, message: Extract<FromWorker, { type: 'settle' }>): void {
    const moves = this.#snapshot?.moves ?? null;
    const current = message.moves === this.#moves;
    for (const { token, source, target, database, key } of message.keys) {
      const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
      const answer = (): void => {
        const settled = moves?.isSettled(source, database, bytes, 0, bytes.length) === true;
        worker.send({ type: 'settled', moves: message.moves, token, settled });
      };
      // Asked for in a change that is over: the next snapshot is on its way to the worker.
      if (moves === null || !current || moves.isSettled(source, database, bytes, 0, bytes.length)) answer();
      else moves.settle(source, target, database, bytes, { resumeSoon: answer });
    }
  }

  #hold(worker: WorkerProcess, number: number): void {
    const moves = this.#snapshot?.moves ?? null;
    if (moves === null || number !== this.#moves || worker.ended) return;
    if (moves.holdMoves({ resumeSoon: () => this.#hold(worker, number) })) {
      worker.holds.push({ moves: number, by: moves });
      worker.send({ type: 'held', moves: number });
    }
  }

  /** Whoever was asked to hold still is released, also when its change is over, or goes on under another number. */
  #release(worker: WorkerProcess, number: number): void {
    const at = worker.holds.findIndex(({ moves }) => moves === number);
    const [hold] = at < 0 ? [] : worker.holds.splice(at, 1);
    hold?.by.releaseMoves();
  }

  #onSocket(socket: Socket): void {
    let clients = 0;
    let best: WorkerProcess | null = null;
    for (const worker of this.#workers) {
      clients += worker.clients;
      if (best === null || load(worker) < load(best)) best = worker;
    }
    if (best === null || this.#closing) {
      socket.destroy();
      return;
    }
    const id = this.#nextClient++;
    if (clients >= this.#options.plane.maxClients) {
      this.#rejected++;
      if (clientRejected.hasSubscribers) {
        const event: ClientEvent = {
          client: id,
          address: socket.remoteAddress ?? 'unix',
          reason: 'max-clients reached',
        };
        clientRejected.publish(event);
      }
      socket.on('error', () => {});
      socket.end(TOO_MANY_CLIENTS, () => socket.destroy());
      socket.resume();
      return;
    }
    best.give(id, socket);
  }
}

/** A worker that does not take what it was given, or is only starting, is the last choice. */
function load(worker: WorkerProcess): number {
  return worker.stalled || !worker.started ? Number.MAX_SAFE_INTEGER : worker.clients;
}

/** As figures of the worker in this slot. */
function inSlot(stats: PlaneStats, slot: number): PlaneStats {
  return { ...stats, processes: stats.processes.map((figures) => ({ ...figures, worker: String(slot) })) };
}

/** Without what is only true while the worker lives. */
function countersOf(stats: PlaneStats): PlaneStats {
  return {
    ...stats,
    clients: 0,
    pendingCommands: 0,
    pendingBytes: 0,
    heldClients: 0,
    residentMemory: 0,
    heapUsed: 0,
    loopLag: 0,
    processes: [],
    nodes: stats.nodes.map((node) => ({ ...node, up: true, inflight: 0, connections: 0 })),
  };
}
