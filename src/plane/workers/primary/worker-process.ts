/** In the primary: one worker process, and what it was given and has not answered yet. */
import type { Socket } from 'node:net';
import type { PlaneStats } from '../../../proxy/measure/plane-stats.js';
import type { LateConnection } from '../../../rebalance/connections.js';
import type { Timers } from '../../../time/timers.js';
import { LATE, within } from '../../../time/within.js';
import { BoundedNews } from '../bounded-news.js';
import type { FromWorker, ToWorker } from '../messages.js';
import type { GivenClient, OpenChannel, WorkerChannel } from './channel.js';
import { RecentCount } from './recent-count.js';

/** One that has taken no client for so long, although some wait for it, is stalled. */
const STALLED_MS = 2000;

export interface Fenced {
  /** What was not answered in time. */
  readonly slow: readonly string[];
  readonly late: readonly LateConnection[];
}

export interface WorkerProcessOptions {
  /** Unique among the workers that this primary ever had. */
  readonly number: number;
  /** From 1 on; unique among the workers that live. */
  readonly slot: number;
  /** The file of the subscription board, which it inherits; null: there is none. */
  readonly board: number | null;
  readonly open: OpenChannel;
  readonly timers: Timers;
  readonly onMessage: (worker: WorkerProcess, message: FromWorker) => void;
  readonly onExit: (worker: WorkerProcess, how: string) => void;
}

export class WorkerProcess {
  readonly number: number;
  readonly slot: number;
  /** Settles when the process has ended. */
  readonly exited: Promise<void>;
  /** For what other workers tell. */
  readonly news = new BoundedNews((news, onSent) => this.send({ type: 'peer-news', news }, onSent));
  readonly #channel: WorkerChannel;
  readonly #timers: Timers;
  /** Clients that were given to it, and that it has reported to have taken, since it began. */
  #given = 0;
  #accepted = 0;
  #open = 0;
  /**
   * Clients that it was given and has not taken. They stay open here as well, so that they can be ended should it
   * die: a socket that is lost on its way to another process would leave its client waiting for ever.
   */
  readonly #waiting: Socket[] = [];
  /** Since when it has taken none of those that wait, by the timers' clock. */
  #waitsSince = 0;
  #started = false;
  #commands = 0;
  readonly #recentCommands: RecentCount;
  #lastStats: PlaneStats | null = null;
  readonly #fences = new Map<number, (fenced: Fenced | null) => void>();
  readonly #stats = new Map<number, (stats: PlaneStats | null) => void>();
  #nextRequest = 1;
  #ended = false;

  constructor({ number, slot, board, open, timers, onMessage, onExit }: WorkerProcessOptions) {
    this.number = number;
    this.slot = slot;
    this.#timers = timers;
    this.#recentCommands = new RecentCount(timers);
    let onEnded = (): void => {};
    this.exited = new Promise((resolve) => {
      onEnded = resolve;
    });
    this.#channel = open(board, {
      onMessage: (message) => onMessage(this, message),
      onExit: (how) => {
        this.#end();
        onExit(this, how);
        onEnded();
      },
    });
  }

  get pid(): number {
    return this.#channel.pid;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** It has begun to serve. */
  get started(): boolean {
    return this.#started;
  }

  /** Commands that it has passed to nodes. */
  get commands(): number {
    return this.#commands;
  }

  /** How many of them it has passed lately: tells how busy it is beside others. */
  get recentCommands(): number {
    return this.#recentCommands.value;
  }

  /** What it counted, as it said last. */
  get lastStats(): PlaneStats | null {
    return this.#lastStats;
  }

  /** Clients that it has, with those on their way to it. */
  get clients(): number {
    return this.#open + this.#given - this.#accepted;
  }

  /** Whether it does not take what it was given. */
  get stalled(): boolean {
    return this.#given > this.#accepted && this.#timers.now() - this.#waitsSince > STALLED_MS;
  }

  /** @param onSent called when the message is on its way */
  send(message: ToWorker, onSent?: () => void): void {
    if (!this.#ended) this.#channel.send(message, onSent);
  }

  /** Hands over a client. */
  give(client: GivenClient, socket: Socket): void {
    if (this.#given === this.#accepted) this.#waitsSince = this.#timers.now();
    this.#given++;
    this.#waiting.push(socket);
    this.#channel.give(client, socket);
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
  async stats(timeout: number): Promise<PlaneStats | null> {
    if (this.#ended) return null;
    const request = this.#nextRequest++;
    const answer = new Promise<PlaneStats | null>((resolve) => {
      this.#stats.set(request, resolve);
      this.send({ type: 'stats', request });
    });
    const stats = await within(timeout, answer, this.#timers);
    this.#stats.delete(request);
    return stats === LATE ? null : stats;
  }

  kill(signal: NodeJS.Signals): void {
    this.#channel.kill(signal);
  }

  onStarted(): void {
    this.#started = true;
  }

  onClients({ accepted, open, commands }: FromWorker<'clients'>): void {
    if (accepted > this.#accepted) this.#waitsSince = this.#timers.now();
    for (const socket of this.#waiting.splice(0, accepted - this.#accepted)) socket.destroy();
    this.#accepted = accepted;
    this.#open = open;
    // What was counted of a node goes with it when it leaves: the sum falls then.
    this.#recentCommands.add(Math.max(0, commands - this.#commands));
    this.#commands = commands;
  }

  onFenced({ request, slow, late }: FromWorker<'fenced'>): void {
    this.#fences.get(request)?.({ slow, late });
    this.#fences.delete(request);
  }

  /** Also one that comes too late tells what was counted. */
  onStats({ request, stats }: FromWorker<'stats'>): void {
    this.#lastStats = stats;
    this.#stats.get(request)?.(stats);
  }

  #end(): void {
    this.#ended = true;
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    for (const answer of this.#fences.values()) answer(null);
    for (const answer of this.#stats.values()) answer(null);
  }
}
