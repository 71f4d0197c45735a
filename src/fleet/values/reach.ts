/**
 * How far what a proxy has can be relied on, for whoever has something of the past: a file from before its start. Proxies
 * tell it each other when they compare, and take over what they hear, since what one has may be another one's by then.
 */
export interface Restored {
  /** What was deleted elsewhere is known up to then. Milliseconds since 1970. */
  readonly until: number;
  /** When it was read. Milliseconds since 1970. */
  readonly at: number;
}

export class Reach {
  #forgotten = 0;
  #restored: Restored | null = null;

  /** What was deleted up to then may be forgotten here. Milliseconds since 1970; 0: nothing is. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** A file that was read while nobody was there who could know more; null: there was none. */
  get restored(): Restored | null {
    return this.#restored;
  }

  /** @param upTo milliseconds since 1970 */
  forget(upTo: number): void {
    this.#forgotten = Math.max(this.#forgotten, upTo);
  }

  /** A clock that was ahead has gone back: it says `now`. Milliseconds since 1970. */
  onClockBack(now: number): void {
    this.#forgotten = Math.min(this.#forgotten, now);
  }

  /** Of several the oldest counts. */
  restore({ until, at }: Restored): void {
    const known = this.#restored;
    this.#restored =
      known === null ? { until, at } : { until: Math.min(until, known.until), at: Math.min(at, known.at) };
  }

  /** What another proxy has told of what it has. */
  join(other: Pick<Reach, 'forgotten' | 'restored'>): void {
    this.forget(other.forgotten);
    if (other.restored !== null) this.restore(other.restored);
  }
}
