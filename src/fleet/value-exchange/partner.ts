/** Another proxy, as this one exchanges values with it. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

export class Partner {
  readonly id: string;
  /** Up to which of the news it has taken. */
  taken: number;
  /** All up to this change of the store is known there: it has been compared since. */
  comparedUpTo = -1;
  /** What it had deleted up to then was heard of by comparing, or before this proxy knew it. Milliseconds since 1970. */
  heardUpTo: number;
  /** When it is to be compared, by the timers' clock. */
  compareAt: number;
  isAsked = false;
  #notBefore = 0;
  #failures = 0;

  /** @param now by the timers' clock @param wall milliseconds since 1970 */
  constructor(id: string, taken: number, now: number, wall: number) {
    this.id = id;
    this.taken = taken;
    this.heardUpTo = wall;
    this.compareAt = now;
  }

  mayBeAsked(now: number): boolean {
    return !this.isAsked && this.#notBefore <= now;
  }

  /** It has asked, or answered: it is there. */
  onHeard(): void {
    this.#notBefore = 0;
    this.#failures = 0;
  }

  /** One that does not answer is asked ever less often. */
  onFailed(now: number): void {
    this.#notBefore = now + Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.#failures++, 16), LONGEST_PAUSE_MS);
  }
}
