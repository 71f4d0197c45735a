/** A worker process: a data plane that is told by the primary process what to route by, and whose clients it serves. */

import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { buildCommandTable } from '../../../commands/build.js';
import { Link } from '../../../fleet/values/link.js';
import { DataPlane } from '../../../proxy/data-plane.js';
import { FORWARDED_CHANNELS } from '../../../proxy/events.js';
import { readPlaneStats } from '../../../proxy/measure/read-plane-stats.js';
import { Rings } from '../../../ring/rings.js';
import { LoopLag } from '../../../telemetry/loop-lag.js';
import { systemTimers, type Timers } from '../../../time/timers.js';
import { dispatch, type Handlers } from '../dispatch.js';
import { type SentSnapshot, type ToWorker, type ToWorkerTable, VALUES_LATER_MS } from '../messages.js';
import { openBoard } from '../subscription-board.js';
import { ChangingMoves } from './changing-moves.js';
import { Primary, type SendToPrimary } from './primary.js';
import { SentCredentials } from './sent-credentials.js';
import { ToldLimits } from './told-limits.js';
import { WorkerStanding } from './worker-standing.js';

/** How often the primary hears how many clients there are. */
const REPORT_MS = 50;

export class Worker {
  readonly #send: SendToPrimary;
  readonly #timers: Timers;
  readonly #primary: Primary;
  readonly #limits: ToldLimits;
  readonly #moves: ChangingMoves;
  readonly #lag = new LoopLag();
  readonly #credentials = new SentCredentials();
  #plane: DataPlane | null = null;
  #standing: WorkerStanding | null = null;
  /** By it the others hear of values that all processes have. */
  #values: Link | null = null;
  #redisVersion = '7.0.0';
  #info: readonly string[] = [];
  /** Of all processes. */
  #clients = 0;
  /** Clients that have come, whether or not they were still there. */
  #accepted = 0;
  #reported = '';
  #endReports = (): void => {};

  readonly #handlers: Handlers<ToWorkerTable, [socket: unknown]> = {
    start: (message) => this.#start(message),
    client: (message, socket) => this.#onClient(message, socket),
    elsewhere: ({ elsewhere }) => {
      for (const { by, name, clients } of elsewhere) this.#plane?.setElsewhere(by, name, clients);
    },
    seat: (message) => this.#limits.onSeat(message),
    certificates: ({ certificates }) => this.#plane?.useCertificates(certificates),
    publish: ({ snapshot }) => this.#publish(snapshot),
    credentials: (message) => this.#credentials.take(message),
    fence: (message) => void this.#fence(message),
    dropped: ({ late }) => this.#plane?.forgetLate(late),
    settled: (message) => this.#moves.onSettled(message),
    swept: (message) => this.#moves.onSwept(message),
    noted: (message) => this.#moves.onNoted(message),
    held: (message) => this.#moves.onHeld(message),
    script: (message) => this.#primary.onScript(message),
    'scripts-flushed': ({ kept }) => this.#plane?.flushScripts(new Set(kept)),
    busy: ({ name, address, reply }) =>
      this.#plane?.hearBusy(name, address, reply === null ? null : Buffer.from(reply)),
    'peer-asked': ({ question, body }) => {
      void this.#plane?.answerPeer(body).then((answer) => this.#send({ type: 'peer-answer', question, answer }));
    },
    'peer-answers': (message) => this.#primary.onPeerAnswers(message),
    'peer-news': ({ news }) => this.#plane?.onPeerNews(news),
    serves: (message) => this.#primary.onServes(message),
    standing: (message) => this.#standing?.onChanged(message),
    suspend: ({ why }) => this.#plane?.suspend(why),
    resume: () => this.#plane?.resume(),
    ruled: (message) => this.#primary.onRuled(message),
    commands: ({ commands }) => {
      this.#plane?.useTable(buildCommandTable(commands));
    },
    groups: ({ groups }) => this.#plane?.useGroups(groups),
    settings: ({ settings }) => this.#plane?.useSettings(settings),
    info: ({ redisVersion, lines, clients }) => {
      this.#redisVersion = redisVersion;
      this.#info = lines;
      this.#clients = clients;
    },
    stats: ({ request }) => {
      if (this.#plane === null) return;
      this.#send({ type: 'stats', request, stats: readPlaneStats(this.#plane, this.#lag.seconds) });
    },
    'hot-keys': ({ question }) => {
      if (this.#plane !== null) this.#send({ type: 'hot-keys', question, report: this.#plane.hotKeys() });
    },
    values: (message) => this.#values?.onBatch(message),
    'values-taken': ({ number }) => this.#values?.onTaken(number),
    'values-restamped': (message) => this.#values?.onRestamp(message),
    close: ({ timeout }) => void this.#close(timeout),
  };

  constructor(send: SendToPrimary, timers: Timers = systemTimers) {
    this.#send = send;
    this.#timers = timers;
    this.#primary = new Primary(send, timers);
    this.#limits = new ToldLimits(send, timers);
    this.#moves = new ChangingMoves(send, timers);
    for (const channel of FORWARDED_CHANNELS) {
      subscribe(channel, (event) => {
        if (typeof event === 'object' && event !== null) send({ type: 'event', channel, event });
      });
    }
  }

  /** @param socket with a message of type `client` */
  onMessage(message: ToWorker, socket: unknown): void {
    dispatch(this.#handlers, message, socket);
  }

  #start({
    options,
    commands,
    standing,
    suspension,
    number,
    snapshot,
    slot,
    workers,
    hasBoard,
    hasFleet,
  }: ToWorker<'start'>): void {
    this.#standing = new WorkerStanding(standing, number, (proxy) => this.#primary.askStanding(proxy));
    this.#plane = new DataPlane({ ...options, standing: this.#standing }, buildCommandTable(commands), {
      ...this.#primary.hooks,
      limits: this.#limits,
      redisVersion: () => this.#redisVersion,
      proxyInfo: () => [...this.#info],
      allClients: () => this.#clients,
      fleet: hasFleet ? { report: (topics) => this.#send({ type: 'topics', topics }), subscribers: null } : null,
      board: openBoard(hasBoard, slot, workers),
    });
    this.#values = new Link({
      store: this.#plane.values,
      send: (batch) => this.#send({ type: 'values', ...batch }),
      taken: (number) => this.#send({ type: 'values-taken', number }),
      restamp: (how) => this.#send({ type: 'values-restamped', ...how }),
      later: (run) => this.#timers.after(VALUES_LATER_MS, run),
    });
    this.#plane.start();
    if (suspension !== null) this.#plane.suspend(suspension.why);
    if (snapshot !== null) this.#publish(snapshot);
    if (suspension?.endsWithRing === true) this.#plane.resume();
    this.#endReports = this.#timers.every(REPORT_MS, () => this.#report());
    this.#send({ type: 'started' });
  }

  #onClient({ id, tls, address }: ToWorker<'client'>, socket: unknown): void {
    this.#accepted++;
    // The client may have left while its socket was on its way.
    if (!(socket instanceof Socket)) {
      if (address !== '') this.#limits.leftBy('address', address);
      return;
    }
    if (address !== '') socket.once('close', () => this.#limits.leftBy('address', address));
    socket.allowHalfOpen = true;
    if (this.#plane === null) socket.destroy();
    else if (tls) this.#plane.enter(socket, id);
    else this.#plane.accept(socket, id);
  }

  #publish(sent: SentSnapshot): void {
    const { generation, phase } = sent;
    const nodes = this.#credentials.routed(sent);
    const rings = Rings.of(nodes, sent.rings);
    this.#moves.adopt(sent, (moves) => this.#plane?.publish({ generation, phase, rings, moves, nodes }));
  }

  async #fence({ request, timeout }: ToWorker<'fence'>): Promise<void> {
    const plane = this.#plane;
    if (plane === null) return;
    const slow = await plane.fence(timeout);
    this.#send({ type: 'fenced', request, slow, late: plane.lateConnections() });
  }

  #report(): void {
    const plane = this.#plane;
    if (plane === null) return;
    let commands = 0;
    for (const node of plane.nodes) commands += node.counters.commands;
    const report = { accepted: this.#accepted, open: plane.clients.size + plane.entering, commands };
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#send({ type: 'clients', ...report });
  }

  async #close(timeout: number): Promise<void> {
    await this.#plane?.close(timeout);
    this.#values?.flush();
    this.#endReports();
    this.#lag.stop();
    process.disconnect();
  }
}
