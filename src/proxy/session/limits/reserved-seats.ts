/**
 * Places among users' clients that a transaction with AUTH holds from before it runs until it has ended: EXEC can wait
 * before it has begun, not behind that.
 */
import type { LimitPeers } from './limit-peers.js';

type Outcome = 'asked' | 'granted' | 'full';

export class ReservedSeats {
  readonly #peers: LimitPeers;
  readonly #onKnown: () => void;
  readonly #seats = new Map<string, Outcome>();
  #asked = 0;
  #closed = false;

  /** @param users each is asked for one place @param onKnown called when all is known that was not at once */
  constructor(peers: LimitPeers, users: Iterable<string>, onKnown: () => void) {
    this.#peers = peers;
    this.#onKnown = onKnown;
    for (const user of users) void this.#ask(user);
  }

  /** Whether it is known of each user whether it may have one client more. */
  get areKnown(): boolean {
    return this.#asked === 0;
  }

  /** The client becomes this user, which has counted it already if it is `granted`; undefined: nobody was asked. */
  take(user: string): 'granted' | 'full' | undefined {
    const outcome = this.#seats.get(user);
    if (outcome === 'asked') return undefined;
    if (outcome === 'granted') this.#seats.delete(user);
    return outcome;
  }

  /** The client is this user no more, and may become it again before the transaction has ended. */
  keep(user: string): void {
    if (this.#seats.get(user) === 'granted') this.#peers.left(user);
    else this.#seats.set(user, 'granted');
  }

  /** Nobody sits there any more. */
  close(): void {
    this.#closed = true;
    for (const [user, outcome] of this.#seats) if (outcome === 'granted') this.#peers.left(user);
    this.#seats.clear();
  }

  async #ask(user: string): Promise<void> {
    this.#seats.set(user, 'asked');
    this.#asked++;
    const isGranted = await this.#peers.ask(user);
    this.#asked--;
    if (this.#seats.get(user) === 'asked') this.#seats.set(user, isGranted ? 'granted' : 'full');
    else if (isGranted) this.#peers.left(user);
    if (this.areKnown && !this.#closed) this.#onKnown();
  }
}
