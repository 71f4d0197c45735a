/** A worker process: a data plane that is told by the primary process what to route by, and whose clients it serves. */

import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { buildCommandTable, type CommandInfo } from '../../../commands/build.js';
import { DataPlane } from '../../../proxy/data-plane.js';
import { FORWARDED_CHANNELS } from '../../../proxy/events.js';
import { readPlaneStats } from '../../../proxy/measure/plane-stats.js';
import type { PeerAnswer } from '../../../proxy/peers/peers.js';
import { LoopLag } from '../../../telemetry/loop-lag.js';
import { BoundedNews } from '../bounded-news.js';
import { type FromWorker, ringsOf, type SentSnapshot, type ToWorker } from '../messages.js';
import { Questions } from '../questions.js';
import { openBoard } from '../subscription-board.js';
import { RemoteMoves } from './remote-moves.js';

/** @param onSent called when the message is on its way */
export type SendToPrimary = (message: FromWorker, onSent?: () => void) => void;

/** How often the primary hears how many clients there are. */
const REPORT_MS = 50;

export class Worker {
  readonly #send: SendToPrimary;
  readonly #lag = new LoopLag();
  #plane: DataPlane | null = null;
  #moves: RemoteMoves | null = null;
  #movesNumber = 0;
  #redisVersion = '7.0.0';
  #info: readonly string[] = [];
  /** Of all processes. */
  #clients = 0;
  #commands: readonly CommandInfo[] = [];
  #accepted = 0;
  #reported = '';
  #timer: NodeJS.Timeout | null = null;
  readonly #scriptQuestions = new Questions<Buffer | null>(null);
  readonly #returns = new Questions<void>(undefined);
  readonly #peerQuestions = new Questions<readonly (PeerAnswer | null)[]>([null]);
  readonly #monitored: BoundedNews;

  constructor(send: SendToPrimary) {
    this.#send = send;
    this.#monitored = new BoundedNews((news, onSent) => send({ type: 'peer-news', news }, onSent));
    for (const channel of FORWARDED_CHANNELS) {
      subscribe(channel, (event) => {
        if (typeof event === 'object' && event !== null) send({ type: 'event', channel, event });
      });
    }
  }

  /** @param socket with a message of type `client` */
  onMessage(message: ToWorker, socket: unknown): void {
    const send = this.#send;
    switch (message.type) {
      case 'start':
        this.#start(message);
        break;
      case 'client':
        this.#onClient(message.id, socket);
        break;
      case 'publish':
        this.#publish(message.snapshot);
        break;
      case 'fence':
        void this.#fence(message.request, message.timeout);
        break;
      case 'dropped':
        this.#plane?.forgetLate(message.late);
        break;
      case 'settled':
        if (message.moves === this.#movesNumber) this.#moves?.onSettled(message.token, message.settled);
        break;
      case 'swept':
        if (message.moves === this.#movesNumber) this.#moves?.onSwept(message.source);
        break;
      case 'held':
        if (message.moves === this.#movesNumber) this.#moves?.onHeld();
        // Whoever asked for it asks anew, by the snapshot that has come meanwhile.
        else send({ type: 'release', moves: message.moves });
        break;
      case 'script': {
        const { body } = message;
        this.#scriptQuestions.answer(
          message.question,
          body === null ? null : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        );
        break;
      }
      case 'scripts-flushed':
        this.#plane?.flushScripts();
        break;
      case 'busy':
        this.#plane?.hearBusy(
          message.name,
          message.address,
          message.reply === null ? null : Buffer.from(message.reply),
        );
        break;
      case 'peer-asked': {
        const { question, body } = message;
        void this.#plane?.answerPeer(body).then((answer) => send({ type: 'peer-answer', question, answer }));
        break;
      }
      case 'peer-answers':
        this.#peerQuestions.answer(message.question, message.answers);
        break;
      case 'peer-news':
        this.#plane?.onPeerNews(message.news);
        break;
      case 'serves':
        this.#returns.answer(message.question);
        break;
      case 'commands':
        this.#commands = message.commands;
        this.#plane?.useTable(buildCommandTable(this.#commands));
        break;
      case 'info':
        this.#redisVersion = message.redisVersion;
        this.#info = message.lines;
        this.#clients = message.clients;
        break;
      case 'stats':
        if (this.#plane === null) break;
        this.#send({
          type: 'stats',
          request: message.request,
          stats: readPlaneStats(this.#plane, this.#lag.seconds),
        });
        break;
      case 'close':
        void this.#close(message.timeout);
        break;
    }
  }

  #start(message: Extract<ToWorker, { type: 'start' }>): void {
    const { access } = message;
    const parent = process.ppid;
    this.#commands = message.commands;
    this.#plane = new DataPlane(
      {
        ...message.options,
        nodeAccess: (name) => (Object.hasOwn(access.byName, name) && access.byName[name]) || access.default,
        // Asked when the node knows this connection already: whoever takes over from a primary that died has its
        // workers' connections dropped, so that one that lives on unnoticed finds out here, and ends.
        mayServe: () => {
          if (process.ppid !== parent) process.exit(1);
        },
      },
      buildCommandTable(this.#commands),
      {
        redisVersion: () => this.#redisVersion,
        proxyInfo: () => [...this.#info],
        allClients: () => this.#clients,
        peers: {
          ask: (body) => this.#peerQuestions.ask((question) => this.#send({ type: 'peer-question', question, body })),
          tell: (news) => this.#monitored.send(news),
        },
        board: openBoard(message.hasBoard, message.slot, message.workers),
        scriptPeers: {
          learned: (body) => this.#send({ type: 'learned', body }),
          ask: (digest, onAnswer) => {
            void this.#scriptQuestions
              .ask((question) => this.#send({ type: 'script-wanted', question, digest }))
              .then(onAnswer);
          },
          flushed: () => this.#send({ type: 'scripts-flushed' }),
        },
        onBusy: (name, address, reply) => this.#send({ type: 'busy', name, address, reply }),
        beforeReturn: ({ name, address, weight }) =>
          this.#returns.ask((question) => {
            this.#send({ type: 'returned', question, node: { name, address, weight } });
          }),
      },
    );
    this.#plane.start();
    if (message.snapshot !== null) this.#publish(message.snapshot);
    this.#timer = setInterval(() => this.#report(), REPORT_MS);
    this.#send({ type: 'started' });
  }

  #onClient(id: number, socket: unknown): void {
    this.#accepted++;
    // The client may have left while its socket was on its way.
    if (!(socket instanceof Socket)) return;
    socket.allowHalfOpen = true;
    if (this.#plane === null) socket.destroy();
    else this.#plane.accept(socket, id);
  }

  #publish(sent: SentSnapshot): void {
    const before = this.#moves;
    if (sent.moves !== this.#movesNumber) {
      this.#moves = sent.moves === 0 ? null : new RemoteMoves(sent.moves, sent.swept, sent.runIds, this.#send);
      this.#movesNumber = sent.moves;
    }
    const { generation, phase, nodes } = sent;
    this.#plane?.publish({ generation, phase, nodes, ...ringsOf(sent), moves: this.#moves });
    if (before !== this.#moves) before?.close();
  }

  async #fence(request: number, timeout: number): Promise<void> {
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
    const report = { accepted: this.#accepted, open: plane.clients.size, commands };
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#send({ type: 'clients', ...report });
  }

  async #close(timeout: number): Promise<void> {
    await this.#plane?.close(timeout);
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#lag.stop();
    process.disconnect();
  }
}
