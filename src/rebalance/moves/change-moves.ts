/**
 * What the data plane asks about moved keys of a change: of each source, whoever moves its keys, which is this process or
 * another proxy. Who that is may change at any time; while nobody does, clients wait for the next one.
 */
import { type KeyMoves, type MoveWaiter, resumeAll } from '../../proxy/key-moves.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Looks } from '../looks.js';
import type { MoveMemory } from '../move-memory.js';
import { GrantedHolds } from './granted-holds.js';

/** What moves the keys of one source. */
export interface SourceMoves {
  /** Moves the key, and then resumes the client. */
  settle(target: number, database: number, key: Buffer, client: MoveWaiter): void;
  /** The source does not have the key any more: from when on that counts is decided here. */
  noteGone(database: number, key: Buffer): void;
  /**
   * Lets nothing of the source move.
   * @returns what releases it, when it was granted; null: it is not, within a bound, since others must not wait for it
   */
  hold(): Promise<(() => void) | null>;
}

/** Those that did not let moves be held are asked again after this long. */
const RETRY_MS = 200;

/** @param here it is this process: whether its keys move is decided by `Looks` */
type Assigned = { readonly here: boolean; readonly moves: SourceMoves };

export class ChangeMoves implements KeyMoves {
  readonly #memory: MoveMemory;
  readonly #looks: Looks;
  readonly #runIdOf: (source: number) => string;
  /** Those whose keys move, or will. */
  readonly #unfinished: Set<number>;
  readonly #assigned = new Map<number, Assigned>();
  /** Who waits for somebody that moves the keys of a source. */
  readonly #waiting = new Map<number, Set<MoveWaiter>>();
  readonly #timers: Pick<Timers, 'after'>;
  readonly #holds: GrantedHolds;
  /** Clients for whose holds other proxies are being asked. */
  readonly #asking = new Set<MoveWaiter>();
  /** Rises whenever somebody else moves the keys of a source. */
  #version = 0;
  /** Who waits for the next version, or for a while. */
  #news: (() => void)[] = [];
  #closed = false;

  /**
   * @param sources whose keys move
   * @param memory whose `settled` tells what has moved, whoever has moved it
   * @param looks of what moves keys in this process
   * @param runIdOf of a source's process at the fence; empty: not known
   */
  constructor(
    sources: Iterable<number>,
    memory: MoveMemory,
    looks: Looks,
    runIdOf: (source: number) => string,
    timers: Pick<Timers, 'after'> = systemTimers,
  ) {
    this.#unfinished = new Set(sources);
    this.#memory = memory;
    this.#looks = looks;
    this.#runIdOf = runIdOf;
    this.#timers = timers;
    this.#holds = new GrantedHolds(timers);
  }

  /** The keys of the source are moved by this from now on; null: by nobody. */
  assign(source: number, moves: SourceMoves | null, here: boolean): void {
    if (!this.#unfinished.has(source)) return;
    if (moves === null) this.#assigned.delete(source);
    else this.#assigned.set(source, { moves, here });
    this.#changed();
    if (moves !== null) this.#resume(source);
  }

  /** The source has no moved key left. */
  swept(source: number): void {
    if (!this.#unfinished.delete(source)) return;
    this.#memory.settled.addSource(source);
    this.#assigned.delete(source);
    this.#changed();
    this.#resume(source);
  }

  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean {
    return this.#memory.settled.has(source, database, buffer, start, end);
  }

  get sweptSources(): readonly number[] {
    return this.#memory.settled.sources;
  }

  runIdOf(source: number): string {
    return this.#runIdOf(source);
  }

  noteGone(source: number, database: number, key: Buffer): void {
    this.#assigned.get(source)?.moves.noteGone(database, key);
  }

  settle(source: number, target: number, database: number, key: Buffer, client: MoveWaiter): void {
    const assigned = this.#assigned.get(source);
    if (assigned !== undefined) assigned.moves.settle(target, database, key, client);
    else if (this.#closed || !this.#unfinished.has(source)) client.resumeSoon();
    else {
      const waiting = this.#waiting.get(source) ?? new Set();
      this.#waiting.set(source, waiting);
      waiting.add(client);
    }
  }

  holdMoves(client: MoveWaiter): boolean {
    if (this.#holds.take()) return true;
    if (this.#closed) client.resumeSoon();
    else if (this.#isAllHere) {
      if (!this.#looks.hold(client)) return false;
      this.#holds.takeNow(() => this.#looks.release());
      return true;
    } else if (!this.#asking.has(client)) {
      this.#asking.add(client);
      void this.#ask(client);
    }
    return false;
  }

  releaseMoves(): void {
    this.#holds.release();
  }

  /** Nothing moves by this any more: who waits, or asks by it yet, asks anew, by the next snapshot. */
  close(): void {
    this.#closed = true;
    this.#assigned.clear();
    for (const source of this.#waiting.keys()) this.#resume(source);
    this.#looks.giveUp();
    this.#changed();
  }

  get #isAllHere(): boolean {
    for (const source of this.#unfinished) if (this.#assigned.get(source)?.here !== true) return false;
    return true;
  }

  /** Asks all that move keys to hold still, and again whenever another one moves some. */
  async #ask(client: MoveWaiter): Promise<void> {
    while (!this.#closed) {
      const version = this.#version;
      const news = new Promise<void>((resolve) => this.#news.push(resolve));
      const holds = [...this.#unfinished].map((source) => this.#assigned.get(source));
      if (!holds.includes(undefined)) {
        const elsewhere = holds.flatMap((hold) => (hold === undefined || hold.here ? [] : [hold.moves.hold()]));
        const releases = await Promise.all([...elsewhere, this.#holdHere()]);
        const release = (): void => {
          for (const one of releases) one?.();
        };
        if (version === this.#version && !releases.includes(null)) {
          this.#asking.delete(client);
          this.#holds.grant(client, release);
          return;
        }
        release();
      }
      if (version === this.#version) {
        const stop = this.#timers.after(RETRY_MS, () => this.#tellNews());
        await news;
        stop();
      }
    }
    this.#asking.delete(client);
    client.resumeSoon();
  }

  #holdHere(): Promise<() => void> {
    return new Promise((resolve) => {
      const ask = (): void => {
        if (this.#looks.hold({ resumeSoon: ask })) resolve(() => this.#looks.release());
      };
      ask();
    });
  }

  #resume(source: number): void {
    const waiting = this.#waiting.get(source);
    if (waiting === undefined) return;
    this.#waiting.delete(source);
    resumeAll(waiting);
  }

  #changed(): void {
    this.#version++;
    this.#tellNews();
  }

  #tellNews(): void {
    for (const wake of this.#news.splice(0)) wake();
  }
}
