/**
 * Simulated time, processes and network: what happens, and when, is decided by a seed alone. Processes are told of
 * timers and messages one at a time; between two of them everything that follows from the first has happened.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Timers } from '../../../src/time/timers.js';
import { Random } from '../../fuzz/random.js';

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Turns of the event loop that may follow from one thing that happens. */
const TURNS = 3;
/** What a message takes at least, and what it may take more. Milliseconds. */
const LATENCY_MS = 1;
const JITTER_MS = 4;

export class World {
  readonly random: Random;
  now = 0;
  /** How many things have happened. */
  steps = 0;
  /** Called behind each thing that has happened. */
  check: () => void = () => {};
  readonly #queue = new Queue();
  #order = 0;
  /** Ways that messages do not get through: `from to`. */
  readonly #cuts = new Set<string>();

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** @returns what takes it back */
  after(milliseconds: number, run: () => void): () => void {
    const happening = { at: this.now + milliseconds, order: this.#order++, run, isCancelled: false };
    this.#queue.add(happening);
    return () => {
      happening.isCancelled = true;
    };
  }

  /** @returns false when nothing will happen any more */
  async step(): Promise<boolean> {
    const next = this.#queue.take();
    if (next === null) return false;
    this.now = next.at;
    this.steps++;
    next.run();
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.check();
    return true;
  }

  /** Lets time pass until it is reached. @throws Error when that takes more than so many simulated milliseconds */
  async until(what: string, reached: () => boolean, limit = 120_000): Promise<void> {
    const end = this.now + limit;
    while (!reached()) {
      if (this.now > end || !(await this.step())) throw new Error(`${what}: not within ${limit} simulated ms`);
    }
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await this.until('time passes', () => this.now >= end, milliseconds + 1);
  }

  /** Lets time pass until the work is done. @returns what it gives @throws what it throws */
  async finish<T>(what: string, work: Promise<T>, limit?: number): Promise<T> {
    let isDone = false;
    work.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    await this.until(what, () => isDone, limit);
    return work;
  }

  /** From now on nothing gets from the one place to the other. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
  }

  /** Both ways. */
  cutBoth(one: string, other: string): void {
    this.cut(one, other);
    this.cut(other, one);
  }

  heal(): void {
    this.#cuts.clear();
  }

  healBoth(one: string, other: string): void {
    this.#cuts.delete(`${one} ${other}`);
    this.#cuts.delete(`${other} ${one}`);
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`);
  }

  /** What is cut when it would arrive is lost. */
  send(from: string, to: string, arrive: () => void): void {
    this.after(LATENCY_MS + this.random.below(JITTER_MS * 16) / 16, () => {
      if (!this.isCut(from, to)) arrive();
    });
  }
}

/** The process in which something happens. */
const ambient = new AsyncLocalStorage<SimulatedProcess>();

/** The timers of the process in which they are asked for: they stand for the machine's. */
export const ambientTimers: Timers = {
  now: () => ambientProcess().timers.now(),
  after: (...timer) => ambientProcess().timers.after(...timer),
  every: (...timer) => ambientProcess().timers.every(...timer),
};

function ambientProcess(): SimulatedProcess {
  const process = ambient.getStore();
  if (process === undefined) throw new Error('timers are asked for outside of a simulated process');
  return process;
}

/** A process: it takes part in what happens, unless it is stalled or has ended. */
export class SimulatedProcess {
  readonly name: string;
  readonly world: World;
  #state: 'running' | 'stalled' | 'ended' = 'running';
  /** Its own timers: they do not run while it does not. */
  readonly timers: Timers = {
    now: () => this.world.now,
    after: (milliseconds, callback) => this.world.after(milliseconds, () => this.take(callback)),
    every: (milliseconds, callback) => {
      let isOver = false;
      const again = (): void => {
        this.world.after(milliseconds, () => {
          if (isOver || this.hasEnded) return;
          this.take(() => {
            if (!isOver) callback();
          });
          again();
        });
      };
      again();
      return () => {
        isOver = true;
      };
    },
  };
  /** What has come while it was stalled. */
  #missed: (() => void)[] = [];

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** As SIGSTOP. */
  stall(): void {
    if (this.#state === 'running') this.#state = 'stalled';
  }

  /** As SIGCONT: what has come meanwhile is taken in its order, one thing after the other. */
  goOn(): void {
    if (this.#state !== 'stalled') return;
    this.#state = 'running';
    const missed = this.#missed.splice(0);
    for (const run of missed) this.world.after(0, () => this.take(run));
  }

  /** As SIGKILL. */
  end(): void {
    this.#state = 'ended';
    this.#missed = [];
  }

  /** Runs in this process: what follows from it does so as well. */
  within<T>(run: () => T): T {
    return ambient.run(this, run);
  }

  /** Something has come. */
  take(run: () => void): void {
    if (this.#state === 'running') this.within(run);
    else if (this.#state === 'stalled') this.#missed.push(run);
  }

  /**
   * Asks a place, which answers at once when it is reached.
   * @throws what the place throws; Error when no answer comes within so many milliseconds: it may have been asked
   */
  ask<T>(place: string, answer: () => T, timeout: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = this.world.after(timeout, () => {
        this.take(() => reject(new Error(`${place} has not answered`)));
      });
      this.world.send(this.name, place, () => {
        let settle: () => void;
        try {
          const value = answer();
          settle = () => resolve(value);
        } catch (error) {
          settle = () => reject(error);
        }
        this.world.send(place, this.name, () => {
          late();
          this.take(settle);
        });
      });
    });
  }
}

/** A heap, by time and then by order. */
class Queue {
  readonly #heap: Happening[] = [];

  add(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(happening, heap[above])) break;
      heap[at] = heap[above] as Happening;
      at = above;
    }
    heap[at] = happening;
  }

  take(): Happening | null {
    for (;;) {
      const first = this.#takeFirst();
      if (first === undefined) return null;
      if (!first.isCancelled) return first;
    }
  }

  #takeFirst(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Happening, heap[below])) below++;
      if (!isBefore(heap[below] as Happening, last)) break;
      heap[at] = heap[below] as Happening;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Happening, other: Happening | undefined): boolean {
  if (other === undefined) return true;
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
