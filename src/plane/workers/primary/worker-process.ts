/** In the primary: one worker process, and what it was given and has not answered yet. */
import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { KeyMoves } from '../../../proxy/key-moves.js';
import type { PlaneStats } from '../../../proxy/measure/plane-stats.js';
import type { LateConnection } from '../../../rebalance/connections.js';
import { BoundedNews } from '../bounded-news.js';
import type { FromWorker, ToWorker } from '../messages.js';
import { BOARD_FD } from '../subscription-board.js';

const PROGRAM = fileURLToPath(new URL('../worker/worker-main.js', import.meta.url));

const STALLED_MS = 2000;

export interface Fenced {
  readonly slow: readonly string[];
  readonly late: readonly LateConnection[];
}

export class WorkerProcess {
  /** Unique among the workers that this primary ever had. */
  readonly number: number;
  /** From 1 on; unique among the workers that live. */
  readonly slot: number;
  /** Clients that were given to it and that it has not reported to have taken. */
  #given = 0;
  #accepted = 0;
  #open = 0;
  /**
   * Clients that it was given and has not taken. They stay open here as well, so that they can be ended should it
   * die: a socket that is lost on its way to another process would leave its client waiting for ever.
   */
  readonly #waiting: Socket[] = [];
  /** Since when it has taken none of those that wait, by the clock. */
  #waitsSince = 0;
  /** It has begun to serve. */
  started = false;
  /** Commands that it has passed to nodes. */
  commands = 0;
  /** Holds of moves that it has and has not released, with the change's number and who holds still. */
  readonly holds: { readonly moves: number; readonly by: KeyMoves }[] = [];
  /** What it counted, as it said last. */
  lastStats: PlaneStats | null = null;
  /** Settles when the process has ended. */
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  /** For what other workers tell. */
  readonly news = new BoundedNews((news, onSent) => this.send({ type: 'peer-news', news }, onSent));
  readonly #fences = new Map<number, (fenced: Fenced | null) => void>();
  readonly #stats = new Map<number, (stats: PlaneStats | null) => void>();
  #nextRequest = 1;
  #ended = false;

  /** @param board the file of the subscription board, which it inherits; null: there is none */
  constructor(
    number: number,
    slot: number,
    board: number | null,
    onMessage: (worker: WorkerProcess, message: FromWorker) => void,
    onExit: (worker: WorkerProcess, how: string) => void,
  ) {
    this.number = number;
    this.slot = slot;
    const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc'];
    if (board !== null) stdio[BOARD_FD] = board;
    this.#child = fork(PROGRAM, [], { serialization: 'advanced', stdio });
    this.#child.on('message', (message: FromWorker) => {
      this.#onMessage(message);
      onMessage(this, message);
    });
    this.#child.on('error', () => {});
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#ended = true;
        for (const socket of this.#waiting.splice(0)) socket.destroy();
        for (const answer of this.#fences.values()) answer(null);
        for (const answer of [...this.#stats.values()]) answer(null);
        onExit(this, signal ?? `exit code ${code}`);
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Clients that it has, with those on their way to it. */
  get clients(): number {
    return this.#open + this.#given - this.#accepted;
  }

  /** Whether it does not take what it was given. */
  get stalled(): boolean {
    return this.#given > this.#accepted && performance.now() - this.#waitsSince > STALLED_MS;
  }

  /** @param onSent called when the message is on its way */
  send(message: ToWorker, onSent: () => void = () => {}): void {
    // A worker that has just died is replaced when its exit is noticed.
    if (!this.#ended && this.#child.connected) this.#child.send(message, onSent);
  }

  give(id: number, socket: Socket): void {
    if (this.#given === this.#accepted) this.#waitsSince = performance.now();
    this.#given++;
    this.#waiting.push(socket);
    const message: ToWorker = { type: 'client', id };
    this.#child.send(message, socket, { keepOpen: true }, (error) => {
      if (error !== null) socket.destroy();
    });
  }

  /** @returns null when the worker died meanwhile */
  fence(timeout: number): Promise<Fenced | null> {
    if (this.#ended) return Promise.resolve(null);
    const request = this.#nextRequest++;
    return new Promise((resolve) => {
      this.#fences.set(request, resolve);
      this.send({ type: 'fence', request, timeout });
    });
  }

  /** @returns null when the worker died meanwhile, or does not answer within `timeout` milliseconds */
  stats(timeout: number): Promise<PlaneStats | null> {
    if (this.#ended) return Promise.resolve(null);
    const request = this.#nextRequest++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(null), timeout);
      const settle = (stats: PlaneStats | null): void => {
        clearTimeout(timer);
        this.#stats.delete(request);
        resolve(stats);
      };
      this.#stats.set(request, settle);
      this.send({ type: 'stats', request });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'clients':
        if (message.accepted > this.#accepted) this.#waitsSince = performance.now();
        for (const socket of this.#waiting.splice(0, message.accepted - this.#accepted)) socket.destroy();
        this.#accepted = message.accepted;
        this.#open = message.open;
        this.commands = message.commands;
        break;
      case 'fenced':
        this.#fences.get(message.request)?.({ slow: message.slow, late: message.late });
        this.#fences.delete(message.request);
        break;
      case 'stats':
        this.lastStats = message.stats;
        this.#stats.get(message.request)?.(message.stats);
        break;
      default:
        break;
    }
  }
}
