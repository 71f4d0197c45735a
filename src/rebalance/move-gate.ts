/**
 * What keeps moves of keys from beginning, and who waits for its end: the operator's pause, which concerns the sweep; a
 * cancel, which holds first the sweep and then all moves; and commands that look at all nodes at once, and must not see
 * a key twice or not at all.
 */
import type { MoveWaiter } from '../proxy/key-moves.js';
import type { Timers } from '../time/timers.js';

/** A client that is resumed asks at the end of the turn, or of the next one. */
const GRACE_TURNS = 3;

/** What a move is for. */
export type Purpose = 'settle' | 'sweep';

export class MoveGate {
  readonly #timers: Pick<Timers, 'now' | 'after'>;
  #paused = false;
  #held: 'sweep' | 'all' | null = null;
  #stopped = false;
  /** Wakes those who wait for the end of a pause, of a hold, or of a move. */
  #wakes: (() => void)[] = [];
  /** Commands that look at all nodes at once. */
  #lookers = 0;
  /** Who waits until it may look. */
  readonly #waiting = new Set<MoveWaiter>();
  /** Turns of the event loop in which those who waited may ask again, before anything else begins. */
  #grace = 0;

  constructor(timers: Pick<Timers, 'now' | 'after'>) {
    this.#timers = timers;
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

  /** From now on the sweep, or everything, begins nothing; what is on its way goes on. */
  hold(what: 'sweep' | 'all'): void {
    this.#held = what;
  }

  release(): void {
    this.#held = null;
    this.wakeAll();
  }

  stop(): void {
    this.#stopped = true;
    this.wakeAll();
  }

  /** A command looks at all nodes; nothing is on its way. */
  beginLook(): void {
    this.#lookers++;
  }

  endLook(): void {
    this.#lookers--;
    if (this.#lookers === 0) this.wakeAll();
  }

  /** Keys are on their way: the client is resumed when none is, and can ask again before others begin to move. */
  waitToLook(client: MoveWaiter): void {
    this.#waiting.add(client);
  }

  /** Nothing is on its way any more. */
  letLook(): void {
    if (this.#waiting.size === 0) return;
    this.#grace = GRACE_TURNS;
    resumeAll(this.#waiting);
  }

  /** Nobody is let look any more: the clients ask anew, elsewhere. */
  giveUpLooks(): void {
    resumeAll(this.#waiting);
  }

  /** Settles when the sweep is not paused, or all is stopped. */
  async whilePaused(): Promise<void> {
    while (this.#paused && !this.#stopped) await this.nextWake();
  }

  /** Settles when a move may begin, or all is stopped. Commands that need the nodes to hold still go first. */
  async whileHeld(purpose: Purpose): Promise<void> {
    for (;;) {
      if (this.#stopped) return;
      if (this.#held === 'all' || this.#held === purpose) await this.nextWake();
      else if (this.#lookers > 0 || this.#waiting.size > 0) await this.nextWake();
      else if (this.#grace === 0) return;
      else {
        this.#grace--;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
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

export function resumeAll(waiters: Set<MoveWaiter>): void {
  for (const waiter of waiters) waiter.resumeSoon();
  waiters.clear();
}
