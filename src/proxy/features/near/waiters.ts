import type { ClientConnection } from '../../session/client-connection.js';

/** A client that has waited for so long is answered by the key's node. Milliseconds. */
const PATIENCE_MS = 20;

/** Clients whose next read is kept, and is being confirmed. */
export class Waiters {
  /** Since when, by the clock; until its command was handled. */
  readonly #since = new Map<ClientConnection, number>();
  readonly #waiting: ClientConnection[] = [];

  get size(): number {
    return this.#since.size;
  }

  /** The client waits, and is resumed. @returns false when it has waited for too long */
  wait(client: ClientConnection, now: number): boolean {
    const since = this.#since.get(client);
    if (since === undefined) this.#since.set(client, now);
    else if (now - since > PATIENCE_MS) return false;
    client.suspend();
    this.#waiting.push(client);
    return true;
  }

  /** What they wait for may be there: all look once more. */
  resumeAll(): void {
    const waiting = this.#waiting.splice(0);
    for (const client of waiting) client.resumeSoon();
  }

  /** The command of the client that may have waited is handled, or the client has left. */
  forget(client: ClientConnection): void {
    this.#since.delete(client);
  }
}
