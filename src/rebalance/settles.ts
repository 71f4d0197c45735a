/**
 * Keys that clients wait for, on their way into batches: what is asked for in one turn goes in one, by target and database,
 * and some batches may be on their way at a time.
 */
import { type MoveWaiter, resumeAll } from '../proxy/key-moves.js';
import { keyName } from './key-name.js';
import type { KeysInFlight } from './keys-in-flight.js';
import type { MoveGate } from './move-gate.js';

export interface SettlePorts {
  /**
   * Moves keys that nobody else moves.
   * @param left is given those who wait for keys that have not arrived
   * @throws when these could not be moved
   */
  move(target: number, database: number, keys: readonly Buffer[], left: Set<MoveWaiter>): Promise<void>;
  /** Keys could not be moved there. @returns milliseconds until their clients may ask again */
  onFailure(target: number, error: unknown): number;
  /** Something is under way from now on. */
  track(work: Promise<void>): Promise<void>;
}

/** Keys that one batch takes. */
const BATCH_KEYS = 64;
/** Batches from one node to another that may be on their way at the same time. */
const BATCHES_AT_ONCE = 4;

/** Keys that wait, by name, of one target and database. */
interface Route {
  readonly target: number;
  readonly database: number;
  readonly waiting: Map<string, { readonly key: Buffer; readonly clients: Set<MoveWaiter> }>;
  /** Batches on their way. */
  running: number;
  scheduled: boolean;
}

export class Settles {
  readonly #source: number;
  readonly #gate: MoveGate;
  readonly #inFlight: KeysInFlight;
  readonly #ports: SettlePorts;
  readonly #routes = new Map<string, Route>();

  /** @param inFlight keys of the source that are on their way; whoever moves any puts them there */
  constructor(source: number, gate: MoveGate, inFlight: KeysInFlight, ports: SettlePorts) {
    this.#source = source;
    this.#gate = gate;
    this.#inFlight = inFlight;
    this.#ports = ports;
  }

  /** The client waits for the key, which is to move to `target`. Asking again for the same key does no harm. */
  ask(target: number, database: number, key: Buffer, client: MoveWaiter): void {
    const name = keyName(this.#source, database, key);
    if (this.#inFlight.wait(name, client)) return;
    const route = this.#route(target, database);
    const entry = route.waiting.get(name) ?? { key, clients: new Set() };
    entry.clients.add(client);
    route.waiting.set(name, entry);
    this.#schedule(route);
  }

  /** Nothing that waits is moved any more: the clients ask anew. */
  giveUp(): void {
    for (const route of this.#routes.values()) {
      for (const { clients } of route.waiting.values()) resumeAll(clients);
      route.waiting.clear();
    }
  }

  #route(target: number, database: number): Route {
    const name = `${target} ${database}`;
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = { target, database, waiting: new Map(), running: 0, scheduled: false };
      this.#routes.set(name, route);
    }
    return route;
  }

  /** Everything that is asked for in one turn goes in one batch. */
  #schedule(route: Route): void {
    if (route.scheduled || route.running >= BATCHES_AT_ONCE || this.#gate.stopped) return;
    route.scheduled = true;
    setImmediate(() => {
      route.scheduled = false;
      if (!this.#gate.stopped) void this.#ports.track(this.#settleBatch(route));
    });
  }

  async #settleBatch(route: Route): Promise<void> {
    while (!this.#gate.isOpenTo('settle')) await this.#gate.nextWake();
    const { target, database, waiting } = route;
    const batch: Buffer[] = [];
    for (const [name, { key, clients }] of waiting) {
      if (batch.length === BATCH_KEYS || this.#gate.stopped) break;
      waiting.delete(name);
      if (this.#inFlight.has(name)) for (const client of clients) this.#inFlight.wait(name, client);
      else {
        this.#inFlight.begin(name, clients);
        batch.push(key);
      }
    }
    if (batch.length === 0) return;
    route.running++;
    if (waiting.size > 0) this.#schedule(route);
    const left = new Set<MoveWaiter>();
    try {
      await this.#ports.move(target, database, batch, left);
    } catch (error) {
      // The clients ask again, or give up when they have waited too long.
      await this.#gate.sleep(this.#ports.onFailure(target, error));
    }
    route.running--;
    resumeAll(left);
    if (waiting.size > 0) this.#schedule(route);
  }
}
