/**
 * What the cache has acknowledged, so that a loss can be told from a miss. Replies of several connections come in any
 * order; so what is known is asked *before* a command is sent, and only what was acknowledged by then counts against
 * its reply.
 */
export class AcknowledgedWrites {
  readonly #lifetime: number;
  readonly #livesUntil = new Map<string, number>();
  readonly #counters = new Map<string, number>();

  /** @param lifetime milliseconds that a page lives at least after each write, whatever else is written to it */
  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  /** A page was written. @param sent when the command was sent: it cannot have run, and the page not expire, earlier */
  wrote(key: string, sent: number): void {
    this.#livesUntil.set(key, Math.max(this.livesUntil(key), sent + this.#lifetime));
  }

  /** @returns until when the page cannot have expired; 0: it was never written */
  livesUntil(key: string): number {
    return this.#livesUntil.get(key) ?? 0;
  }

  /**
   * A page was read and not there.
   * @param knownUntil what `livesUntil` said before the command was sent
   * @param now when the reply came
   * @returns whether an acknowledged write is gone; told once when several readers notice at the same time
   */
  isLost(key: string, knownUntil: number, now: number): boolean {
    const until = this.livesUntil(key);
    if (now >= knownUntil || until === 0) return false;
    if (until === knownUntil) this.#livesUntil.delete(key);
    return true;
  }

  /** @returns the highest count of a counter that was acknowledged */
  countOf(key: string): number {
    return this.#counters.get(key) ?? 0;
  }

  /**
   * A counter was incremented.
   * @param known what `countOf` said before the command was sent
   * @returns false when the counter has fallen back: an acknowledged increment is gone, or a stale copy was counted on
   */
  counted(key: string, known: number, count: number): boolean {
    const grew = count > known;
    // After a loss the counter goes on from where it is: else every further increment would count as another loss.
    this.#counters.set(key, grew ? Math.max(this.countOf(key), count) : count);
    return grew;
  }
}
