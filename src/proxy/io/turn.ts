import { eventLoop } from './batch/event-loop.js';

/** Something that has gathered work in this turn of the event loop and does it at the turn's end. */
export interface TurnTask {
  endOfTurn(): void;
}

/**
 * Sockets written to in one turn, from which on it is crowded. A client that is alone keeps fewer busy however deep its
 * pipelines are: a write to each of a few nodes, and one to itself.
 */
const CROWD = 6;

/**
 * Collects the outlets that were written to in one turn of the event loop and flushes each once, behind
 * the turn's reads. One write per socket and turn is what makes pipelines cheap: a system call costs more
 * than all that the proxy does for a command.
 *
 *   reads ─▶ those who waited go on (`resume`) ─▶ outlets are flushed (`schedule`), what these have written as well
 */
export class Turn {
  #resumed: TurnTask[] = [];
  #spareResumed: TurnTask[] = [];
  #tasks: TurnTask[] = [];
  #spare: TurnTask[] = [];
  #scheduled = false;
  #isCrowded = false;
  readonly #run = (): void => this.#endOfTurn();

  /** Whether the turn that ends has so many sockets to write to that the next one, right behind it, will have some as well. */
  get isCrowded(): boolean {
    return this.#isCrowded;
  }

  /** An outlet has something to write. The caller makes sure that a task is not scheduled twice in a turn. */
  schedule(task: TurnTask): void {
    this.#tasks.push(task);
    this.#scheduleRun();
  }

  /**
   * Somebody goes on who has waited: in front of the flush, so that what it writes does not wait for another turn. Who is
   * resumed by that in its turn has to wait for the next one, as has who waits again: others are read meanwhile.
   */
  resume(task: TurnTask): void {
    this.#resumed.push(task);
    this.#scheduleRun();
  }

  #scheduleRun(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    eventLoop.atEnd(this.#run);
  }

  #endOfTurn(): void {
    const resumed = this.#resumed;
    if (resumed.length > 0) {
      this.#resumed = this.#spareResumed;
      for (let i = 0; i < resumed.length; i++) resumed[i]?.endOfTurn();
      resumed.length = 0;
      this.#spareResumed = resumed;
    }
    const tasks = this.#tasks;
    this.#tasks = this.#spare;
    this.#scheduled = false;
    this.#isCrowded = tasks.length >= CROWD;
    if (this.#resumed.length > 0) this.#scheduleRun();
    for (let i = 0; i < tasks.length; i++) tasks[i]?.endOfTurn();
    tasks.length = 0;
    this.#spare = tasks;
  }
}
