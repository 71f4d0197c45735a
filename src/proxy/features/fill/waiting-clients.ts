import type { ClientConnection } from '../../session/client-connection.js';
import { ClientStates } from '../../session/client-states.js';
import { AWAITS_FILL } from '../../session/modes.js';
import type { Fill, Wait } from './fill.js';

/** Which clients wait for which fills, and whom others wait for. */
export class WaitingClients {
  /** How many reads wait. */
  waits = 0;
  readonly #waiting = new ClientStates<Set<Wait>>(AWAITS_FILL);
  /** Fills for which somebody waits, by their filler. */
  readonly #filled = new Map<ClientConnection, Set<Fill>>();

  /** Whether the client waits for something. */
  has(client: ClientConnection): boolean {
    return client.isIn(AWAITS_FILL);
  }

  add(wait: Wait): void {
    const waits = this.#waiting.get(wait.client);
    if (waits === null) this.#waiting.set(wait.client, new Set([wait]));
    else waits.add(wait);
    this.waits++;
  }

  delete(wait: Wait): void {
    const waits = this.#waiting.get(wait.client);
    if (waits === null || !waits.delete(wait)) return;
    this.waits--;
    if (waits.size === 0) this.#waiting.delete(wait.client);
  }

  /** In the order in which they came. */
  allOf(client: ClientConnection): readonly Wait[] {
    return [...(this.#waiting.get(client) ?? [])];
  }

  waitsOf(client: ClientConnection, fill: Fill): readonly Wait[] {
    return this.allOf(client).filter((wait) => wait.fill === fill);
  }

  waitsFor(client: ClientConnection, fill: Fill): boolean {
    for (const wait of this.#waiting.get(client) ?? []) if (wait.fill === fill) return true;
    return false;
  }

  /** Somebody waits for the fill's filler. */
  noteFiller(fill: Fill): void {
    const { filler } = fill;
    if (filler === null) return;
    const fills = this.#filled.get(filler);
    if (fills === undefined) this.#filled.set(filler, new Set([fill]));
    else fills.add(fill);
  }

  /** Nobody does any more, or it has another one. */
  endFiller(fill: Fill): void {
    const { filler } = fill;
    if (filler === null) return;
    const fills = this.#filled.get(filler);
    if (fills?.delete(fill) && fills.size === 0) this.#filled.delete(filler);
  }

  /** The fills for which others wait, and this client was the filler. */
  takeFilledBy(client: ClientConnection): readonly Fill[] {
    const fills = this.#filled.get(client);
    this.#filled.delete(client);
    return [...(fills ?? [])];
  }
}
