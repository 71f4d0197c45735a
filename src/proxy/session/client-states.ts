import type { ClientConnection } from './client-connection.js';
import type { Mode } from './modes.js';

/** What a feature knows of the clients that are in its mode. The feature lets go of a client that leaves. */
export class ClientStates<State> {
  readonly #mode: Mode;
  readonly #states = new Map<ClientConnection, State>();

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  get size(): number {
    return this.#states.size;
  }

  /** Null: the client is not in this mode. */
  get(client: ClientConnection): State | null {
    if (!client.isIn(this.#mode)) return null;
    return this.#states.get(client) ?? null;
  }

  /** The client enters the mode, or is in it in another way. */
  set(client: ClientConnection, state: State): void {
    this.#states.set(client, state);
    client.enter(this.#mode);
  }

  /** The client leaves the mode, if it is in it. */
  delete(client: ClientConnection): void {
    this.#states.delete(client);
    client.leave(this.#mode);
  }

  values(): Iterable<State> {
    return this.#states.values();
  }
}
