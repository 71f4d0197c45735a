/** Something that has gathered work in this turn of the event loop and does it at the turn's end. */
export interface TurnTask {
  endOfTurn(): void;
}

/**
 * Collects the outlets that were written to in one turn of the event loop and flushes each once, behind
 * the turn's reads. One write per socket and turn is what makes pipelines cheap: a system call costs more
 * than all that the proxy does for a command.
 */
export class Turn {
  #tasks: TurnTask[] = [];
  #spare: TurnTask[] = [];
  #scheduled = false;
  readonly #run = (): void => this.#endOfTurn();

  /** The caller makes sure that a task is not scheduled twice in a turn. */
  schedule(task: TurnTask): void {
    this.#tasks.push(task);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#run);
    }
  }

  #endOfTurn(): void {
    const tasks = this.#tasks;
    this.#tasks = this.#spare;
    this.#scheduled = false;
    for (let i = 0; i < tasks.length; i++) tasks[i]?.endOfTurn();
    tasks.length = 0;
    this.#spare = tasks;
  }
}
