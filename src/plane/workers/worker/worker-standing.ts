/** In a worker: by what right it speaks to nodes, as the primary tells it and answers when it is asked. */
import type { Ruling, Standing } from '../../../node/standing.js';
import { clockShift, monotonicNow } from '../../../time/monotonic.js';
import type { SentStanding } from '../messages.js';

/** Of the clock of the day, which is set a little now and then. Milliseconds. */
const MOST_JUMP_MS = 1000;

export class WorkerStanding implements Standing {
  readonly #number: number;
  readonly #ask: (proxy: string) => Promise<Ruling>;
  readonly #parent = process.ppid;
  #now: SentStanding;

  /**
   * @param number of the worker
   * @param ask asks the primary about an id of the proxy
   */
  constructor(now: SentStanding, number: number, ask: (proxy: string) => Promise<Ruling>) {
    this.#now = now;
    this.#number = number;
    this.#ask = ask;
  }

  get id(): string {
    return `${this.#now.proxy}.${this.#number}`;
  }

  get isLone(): boolean {
    return this.#now.validUntil === Number.POSITIVE_INFINITY;
  }

  holds(id: string): boolean {
    // Whoever takes over from a primary that died has its workers' connections dropped: so one that lives on unnoticed
    // finds out here, and ends.
    if (process.ppid !== this.#parent) process.exit(1);
    if (id !== this.id || monotonicNow() >= this.#now.validUntil) return false;
    // The primary says it anew once it has renewed its lease.
    return this.isLone || Math.abs(clockShift() - this.#now.clockShift) <= MOST_JUMP_MS;
  }

  async ask(id: string): Promise<Ruling> {
    const ruling = id === this.id ? await this.#ask(this.#now.proxy) : 'fenced-off';
    return id === this.id ? ruling : 'fenced-off';
  }

  /** The primary tells what it is now. */
  onChanged(now: SentStanding): void {
    this.#now = now;
  }
}
