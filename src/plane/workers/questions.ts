import { systemTimers, type Timers } from '../../time/timers.js';

/** Whoever does not answer in this time is not waited for. */
export const PATIENCE_MS = 2000;

/** Questions to another process that are answered later, told apart by numbers. */
export class Questions<Answer> {
  readonly #otherwise: Answer;
  readonly #timers: Pick<Timers, 'after'>;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #next = 1;

  /** @param otherwise the answer when none comes in time */
  constructor(otherwise: Answer, timers: Pick<Timers, 'after'> = systemTimers) {
    this.#otherwise = otherwise;
    this.#timers = timers;
  }

  /** @param send sends the question under this number */
  ask(send: (question: number) => void): Promise<Answer> {
    const question = this.#next++;
    return new Promise((resolve) => {
      const stop = this.#timers.after(PATIENCE_MS, () => this.answer(question, this.#otherwise));
      this.#open.set(question, (answer) => {
        stop();
        resolve(answer);
      });
      send(question);
    });
  }

  /** @returns false: it comes too late, or a second time, and is for nobody */
  answer(question: number, answer: Answer): boolean {
    const resolve = this.#open.get(question);
    this.#open.delete(question);
    resolve?.(answer);
    return resolve !== undefined;
  }
}
