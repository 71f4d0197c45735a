/**
 * Holds of moves that come later than they are asked for: the client is resumed when it can take one, and asks again. One
 * that nobody takes is let go, since its client has left, or gave up.
 */
import type { MoveWaiter } from '../../proxy/key-moves.js';
import type { Timers } from '../../time/timers.js';

/** How long a hold that was granted waits for the client that asked for it. */
const EXPIRES_MS = 100;

export class GrantedHolds {
  readonly #timers: Pick<Timers, 'after'>;
  /** What lets go of each that nobody has taken yet, and of each that somebody has. */
  readonly #granted: (() => void)[] = [];
  readonly #taken: (() => void)[] = [];

  constructor(timers: Pick<Timers, 'after'>) {
    this.#timers = timers;
  }

  /** @returns whether there is one, which is the client's now */
  take(): boolean {
    const release = this.#granted.shift();
    if (release === undefined) return false;
    this.#taken.push(release);
    return true;
  }

  /** One is granted to a client that is there to take it. @param release called once, when it is not needed any more */
  takeNow(release: () => void): void {
    this.#taken.push(release);
  }

  /** @param release called once, when the hold is not needed any more */
  grant(client: MoveWaiter, release: () => void): void {
    this.#granted.push(release);
    client.resumeSoon();
    this.#timers.after(EXPIRES_MS, () => {
      const at = this.#granted.indexOf(release);
      if (at < 0) return;
      this.#granted.splice(at, 1);
      release();
    });
  }

  /** One that was taken is not needed any more: they are all the same. */
  release(): void {
    this.#taken.shift()?.();
  }
}
