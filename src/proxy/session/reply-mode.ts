/** Whether a client wants replies (CLIENT REPLY). */
export class ReplyMode {
  #isOff = false;
  #skipsNext = false;

  /** ON: what follows is answered. */
  on(): void {
    this.#isOff = false;
    this.#skipsNext = false;
  }

  /** OFF: nothing is answered. */
  off(): void {
    this.#isOff = true;
  }

  /** SKIP: the next command is not answered. */
  skip(): void {
    if (!this.#isOff) this.#skipsNext = true;
  }

  /** What is said now is said in any case: the connection ends behind it. */
  overrule(): void {
    this.#isOff = false;
  }

  /** Whether the next command is not answered. */
  get isSilent(): boolean {
    return this.#isOff || this.#skipsNext;
  }

  /** Called once for each command. @returns whether it is not answered */
  takesSilently(): boolean {
    const isSilent = this.#isOff || this.#skipsNext;
    this.#skipsNext = false;
    return isSilent;
  }
}
