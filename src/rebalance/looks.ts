/**
 * Commands that look at all nodes at once (KEYS, FLUSHALL …) must not see a key twice, or not at all: they look while no
 * key is on its way, and none begins to move until they are done. One for all that moves keys in this process.
 */
import { type MoveWaiter, resumeAll } from '../proxy/key-moves.js';

/** A client that is resumed asks at the end of the turn, or of the next one. */
const GRACE_TURNS = 3;

export class Looks {
  /** Commands that look. */
  #lookers = 0;
  /** Batches of keys that are on their way. */
  #moving = 0;
  /** Who waits until it may look. */
  readonly #waiting = new Set<MoveWaiter>();
  /** Turns of the event loop in which those who waited may ask again, before anything else begins. */
  #grace = 0;
  readonly #listeners = new Set<() => void>();

  /** Whether no move may begin: somebody looks, or is to go first. */
  get comeFirst(): boolean {
    return this.#lookers > 0 || this.#waiting.size > 0 || this.#grace > 0;
  }

  /** @param listener told when moves may begin again @returns what ends it */
  onFree(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keys are on their way from now on, until `moved`. */
  moves(): void {
    this.#moving++;
  }

  moved(): void {
    this.#moving--;
    if (this.#moving > 0 || this.#waiting.size === 0) return;
    this.#letAsk();
    resumeAll(this.#waiting);
  }

  /**
   * Lets no key be on its way until `release`.
   * @returns false when some are: the client is resumed when it can ask again, before others begin to move
   */
  hold(client: MoveWaiter): boolean {
    if (this.#moving > 0) {
      this.#waiting.add(client);
      return false;
    }
    this.#lookers++;
    return true;
  }

  release(): void {
    this.#lookers--;
    this.#tellIfFree();
  }

  /** Nobody is let look any more: the clients ask anew, elsewhere. */
  giveUp(): void {
    resumeAll(this.#waiting);
    this.#tellIfFree();
  }

  #letAsk(): void {
    const isCounting = this.#grace > 0;
    this.#grace = GRACE_TURNS;
    if (isCounting) return;
    const turn = (): void => {
      this.#grace--;
      if (this.#grace > 0) setImmediate(turn);
      else this.#tellIfFree();
    };
    setImmediate(turn);
  }

  #tellIfFree(): void {
    if (!this.comeFirst) for (const listener of this.#listeners) listener();
  }
}
