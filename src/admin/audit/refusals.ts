/** Refused calls: each is counted, and only so many are listed, so that nobody fills the log, or buries others in it. */
import { Bucket } from '../../time/bucket.js';

/** As many at once are listed. */
const BURST = 20;
/** And then one in six seconds. */
const PER_SECOND = 1 / 6;

/** Permissions to list a call. */
class Allowance {
  readonly #now: () => number;
  readonly #left: Bucket;
  #unlisted = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#left = new Bucket(BURST, now());
  }

  /** @returns how many were not listed since the last one that was; null: nor is this one */
  take(): number | null {
    if (this.#left.level(BURST, PER_SECOND, this.#now()) < 1) {
      this.#unlisted++;
      return null;
    }
    this.#left.take(1);
    const unlisted = this.#unlisted;
    this.#unlisted = 0;
    return unlisted;
  }
}

export class Refusals {
  readonly #counts = new Map<string, number>();
  /** Who has a token that is valid does not lose his place in the log to strangers. */
  readonly #known: Allowance;
  readonly #strangers: Allowance;

  /** @param now milliseconds that do not go back */
  constructor(now: () => number) {
    this.#known = new Allowance(now);
    this.#strangers = new Allowance(now);
  }

  /** @param code of the error, one of a closed set @returns as `Allowance.take` */
  count(code: string, isKnown: boolean): number | null {
    this.countOnly(code);
    return (isKnown ? this.#known : this.#strangers).take();
  }

  /** Of one that is never listed, and takes nobody's place. */
  countOnly(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  /** Since the start, by code. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
