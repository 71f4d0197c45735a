/**
 * A hybrid logical clock (S. Kulkarni, M. Demirbas, D. Madappa, B. Avva, M. Leone: "Logical Physical Clocks", 2014):
 * stamps that are as good as the wall clock where clocks agree, and that never contradict what has caused what. A
 * stamp too far ahead of the own wall clock is not followed: one wrong clock must not take all others along.
 */
import { isCount } from './lattice.js';

/** Milliseconds since 1970; the number of this one among those of the same millisecond; who has made it. */
export type Stamp = readonly [wall: number, count: number, actor: string];

/** How far a stamp may be ahead of the own wall clock. Milliseconds. */
export const MOST_DRIFT_MS = 60_000;
const LONGEST_ACTOR = 64;

/** @returns below 0 when `a` is the earlier one; 0 only for the same stamp */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (a[1] !== b[1]) return a[1] - b[1];
  return a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0;
}

/** @param value from a peer */
export function decodeStamp(value: unknown): Stamp | null {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [wall, count, actor]: readonly unknown[] = value;
  return isCount(wall) && isCount(count) && isActor(actor) ? [wall, count, actor] : null;
}

export function isActor(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_ACTOR;
}

export class HybridClock {
  #actor: string;
  readonly #wallNow: () => number;
  readonly #mostDrift: number;
  #wall = 0;
  #count = 0;
  #refused = 0;

  /** @param wallNow milliseconds since 1970; may jump */
  constructor(actor: string, wallNow: () => number, mostDrift = MOST_DRIFT_MS) {
    this.#actor = actor;
    this.#wallNow = wallNow;
    this.#mostDrift = mostDrift;
  }

  /** Stamps that were too far ahead. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Until when nobody follows what is stamped here, milliseconds since 1970: the wall clock was ahead, and has gone back;
   * null: all do whose clocks are right.
   */
  get aloneUntil(): number | null {
    return this.#wall > this.wall() + this.#mostDrift ? this.#wall - this.#mostDrift : null;
  }

  /** How far a stamp may be ahead of the wall clock. Milliseconds. */
  get mostDrift(): number {
    return this.#mostDrift;
  }

  /** The time of the latest stamp that was made or followed here. Milliseconds since 1970. */
  get newest(): number {
    return this.#wall;
  }

  /** Milliseconds since 1970, by the wall clock. */
  wall(): number {
    return Math.floor(this.#wallNow());
  }

  /** A stamp for something that happens now: later than every one that was made or witnessed here before. */
  next(): Stamp {
    this.#advance(this.wall(), -1);
    return [this.#wall, this.#count, this.#actor];
  }

  /** Who makes stamps from now on. */
  rename(actor: string): void {
    this.#actor = actor;
  }

  /** Whether a stamp is near enough to the own wall clock to decide anything. */
  accepts(stamp: Stamp): boolean {
    return stamp[0] <= this.wall() + this.#mostDrift;
  }

  /** What happens from now on is later than this. @returns false: it is too far ahead, and not followed */
  witness(stamp: Stamp): boolean {
    if (!this.accepts(stamp)) {
      this.#refused++;
      return false;
    }
    this.follow(stamp);
    return true;
  }

  /** What happens from now on is later than this, however far ahead it is: it was made by the same wall clock. */
  follow(stamp: Stamp): void {
    if (stamp[0] < this.#wall || (stamp[0] === this.#wall && stamp[1] <= this.#count)) return;
    this.#wall = stamp[0];
    this.#count = stamp[1];
  }

  /** All stamps that were made or followed here are others now, in the same order. */
  restamp(anew: (stamp: Stamp) => Stamp): void {
    const [wall, count] = anew([this.#wall, this.#count, this.#actor]);
    this.#wall = wall;
    this.#count = count;
  }

  #advance(wall: number, count: number): void {
    if (wall > this.#wall) {
      this.#wall = wall;
      this.#count = count + 1;
    } else this.#count++;
  }
}
