import type { MoveWaiter } from '../proxy/key-moves.js';

/** Keys of a source that are on their way, by name (`keyName`), with who waits for each: mostly nobody. */
export class KeysInFlight {
  readonly #waiting = new Map<string, Set<MoveWaiter> | null>();

  get size(): number {
    return this.#waiting.size;
  }

  has(name: string): boolean {
    return this.#waiting.has(name);
  }

  /** The key is on its way, if it was not yet. @param clients who waits for it until now; null: nobody */
  begin(name: string, clients: Set<MoveWaiter> | null = null): void {
    if (!this.#waiting.has(name)) this.#waiting.set(name, clients);
  }

  /** The client waits for the key. @returns false when that is not on its way */
  wait(name: string, client: MoveWaiter): boolean {
    const clients = this.#waiting.get(name);
    if (clients === undefined) return false;
    if (clients === null) this.#waiting.set(name, new Set([client]));
    else clients.add(client);
    return true;
  }

  /** The key is not on its way any more. @returns who has waited for it; null: nobody */
  end(name: string): Set<MoveWaiter> | null {
    const clients = this.#waiting.get(name);
    if (clients === undefined) return null;
    this.#waiting.delete(name);
    return clients;
  }

  /** Those who wait for any of them. */
  *waiters(): Iterable<Set<MoveWaiter>> {
    for (const clients of this.#waiting.values()) if (clients !== null) yield clients;
  }
}
