/**
 * What keeps moves of a source's keys from beginning, and who waits for its end: the operator's pause, which concerns the
 * sweep; a cancel, which holds first the sweep and then all moves; and commands that look at all nodes at once (`Looks`).
 */
import type { Timers } from '../time/timers.js';
import type { Looks } from './looks.js';

/** What a move is for. */
export type Purpose = 'settle' | 'sweep';

export class MoveGate {
  readonly #timers: Pick<Timers, 'now' | 'after'>;
  readonly #looks: Looks;
  readonly #forgetLooks: () => void;
  #paused = false;
  #held: 'sweep' | 'all' | null = null;
  #stopped = false;
  /** Wakes those who wait for the end of a pause, of a hold, or of a move. */
  #wakes: (() => void)[] = [];

  constructor(timers: Pick<Timers, 'now' | 'after'>, looks: Looks) {
    this.#timers = timers;
    this.#looks = looks;
    this.#forgetLooks = looks.onFree(() => this.wakeAll());
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether somebody holds moves of one kind, or all. */
  get held(): boolean {
    return this.#held !== null;
  }

  /** For good: whoever waits goes on, and gives up. */
  get stopped(): boolean {
    return this.#stopped;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wakeAll();
  }

  /** From now on the sweep, or everything, begins nothing; what is on its way goes on, but for large values (`goesOnWith`). */
  hold(what: 'sweep' | 'all'): void {
    this.#held = what;
  }

  release(): void {
    this.#held = null;
    this.wakeAll();
  }

  stop(): void {
    this.#stopped = true;
    this.#forgetLooks();
    this.wakeAll();
  }

  /**
   * Whether a move may begin now, or all is stopped, so that whoever waits gives up. Commands that need the nodes to hold
   * still go first. To be looked at in the very turn in which the move begins, by whoever waits for `nextWake`: a wait that
   * is over is told of a moment later, and by then the gate may be closed again, and taken to be.
   */
  isOpenTo(purpose: Purpose): boolean {
    if (this.#stopped) return true;
    if (purpose === 'sweep' && this.#paused) return false;
    return this.#held !== 'all' && this.#held !== purpose && !this.#looks.comeFirst;
  }

  /** Whether a large move that is under way goes on: neither is it held, nor all stopped. A pause lets it end. */
  goesOnWith(purpose: Purpose): boolean {
    return !this.#stopped && this.#held !== 'all' && this.#held !== purpose;
  }

  /** Settles when the sweep is not paused, or all is stopped. */
  async whilePaused(): Promise<void> {
    while (this.#paused && !this.#stopped) await this.nextWake();
  }

  /** @returns false when that takes longer than so many milliseconds, or all is stopped */
  async until(reached: () => boolean, milliseconds: number): Promise<boolean> {
    const deadline = this.#timers.now() + milliseconds;
    // A timer may be a moment early.
    const cancel = this.#timers.after(milliseconds + 2, () => this.wakeAll());
    while (!reached() && !this.#stopped && this.#timers.now() < deadline) await this.nextWake();
    cancel();
    return reached() && !this.#stopped;
  }

  /** Waits for so many milliseconds, or until all is stopped, or what it waits for is over before, which a wake tells. */
  async rest(milliseconds: number, isOver: () => boolean): Promise<void> {
    let isUp = false;
    const cancel = this.#timers.after(milliseconds, () => {
      isUp = true;
      this.wakeAll();
    });
    while (!isUp && !this.#stopped && !isOver()) await this.nextWake();
    cancel();
  }

  /** Settles when something has changed: whoever waits looks again. */
  nextWake(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  wakeAll(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** @param milliseconds less than 1: until the next turn of the event loop */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.after(milliseconds, resolve);
    });
  }
}
