/** Questions to another process that are answered later, told apart by numbers. */

/** Whoever does not answer in this time is not waited for. */
const PATIENCE_MS = 2000;

export class Questions<Answer> {
  readonly #otherwise: Answer;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #next = 1;

  /** @param otherwise the answer when none comes in time */
  constructor(otherwise: Answer) {
    this.#otherwise = otherwise;
  }

  /** @param send sends the question under this number */
  ask(send: (question: number) => void): Promise<Answer> {
    const question = this.#next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answer(question, this.#otherwise), PATIENCE_MS);
      this.#open.set(question, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send(question);
    });
  }

  answer(question: number, answer: Answer): void {
    const resolve = this.#open.get(question);
    this.#open.delete(question);
    resolve?.(answer);
  }
}
