import { Turn, type TurnTask } from '../../src/proxy/io/turn.js';

/** A turn that ends when it is told to, crowded or not. */
export class ManualTurn extends Turn {
  #tasks: TurnTask[] = [];
  #isCrowded = false;

  override get isCrowded(): boolean {
    return this.#isCrowded;
  }

  override schedule(task: TurnTask): void {
    this.#tasks.push(task);
  }

  end(isCrowded = false): void {
    this.#isCrowded = isCrowded;
    for (const task of this.#tasks.splice(0)) task.endOfTurn();
  }
}
