/**
 * In a worker: what the data plane asks about moved keys. The keys are moved by the primary process alone, so that
 * a key is moved by one process at a time; what is known to have moved is remembered here as well.
 */
import type { KeyMoves, MoveWaiter } from '../proxy/key-moves.js';
import { SettledKeys } from '../rebalance/settled-keys.js';
import type { FromWorker, KeyToSettle } from './messages.js';

/** How long a hold that was granted waits for the client that asked for it. */
const HOLD_EXPIRES_MS = 100;

interface Asked {
  readonly source: number;
  readonly database: number;
  readonly key: Buffer;
  readonly clients: Set<MoveWaiter>;
}

export class RemoteMoves implements KeyMoves {
  readonly #moves: number;
  readonly #send: (message: FromWorker) => void;
  readonly #settled = new SettledKeys();
  readonly #asked = new Map<number, Asked>();
  readonly #tokens = new Map<string, number>();
  #nextToken = 1;
  /** Asked for in this turn of the event loop. */
  #batch: KeyToSettle[] = [];
  readonly #holdWaiters: MoveWaiter[] = [];
  /** Granted holds that nobody has taken yet. */
  #granted = 0;

  /** @param moves the change's number */
  constructor(moves: number, swept: readonly number[], send: (message: FromWorker) => void) {
    this.#moves = moves;
    this.#send = send;
    for (const source of swept) this.#settled.addSource(source);
  }

  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean {
    return this.#settled.has(source, database, buffer, start, end);
  }

  noteGone(source: number, database: number, key: Buffer): void {
    this.#settled.add(source, database, key);
  }

  settle(source: number, target: number, database: number, key: Buffer, client: MoveWaiter): void {
    const name = `${source} ${database} ${key.toString('latin1')}`;
    const known = this.#tokens.get(name);
    if (known !== undefined) {
      this.#asked.get(known)?.clients.add(client);
      return;
    }
    const token = this.#nextToken++;
    this.#tokens.set(name, token);
    this.#asked.set(token, { source, database, key, clients: new Set([client]) });
    this.#batch.push({ token, source, target, database, key });
    if (this.#batch.length === 1) setImmediate(() => this.#flush());
  }

  holdMoves(client: MoveWaiter): boolean {
    if (this.#granted > 0) {
      this.#granted--;
      return true;
    }
    this.#holdWaiters.push(client);
    this.#send({ type: 'hold', moves: this.#moves });
    return false;
  }

  releaseMoves(): void {
    this.#send({ type: 'release', moves: this.#moves });
  }

  /** The primary answers a `settle`. */
  onSettled(token: number, settled: boolean): void {
    const asked = this.#asked.get(token);
    if (asked === undefined) return;
    this.#asked.delete(token);
    this.#tokens.delete(`${asked.source} ${asked.database} ${asked.key.toString('latin1')}`);
    if (settled) this.#settled.add(asked.source, asked.database, asked.key);
    for (const client of asked.clients) client.resumeSoon();
  }

  onSwept(source: number): void {
    this.#settled.addSource(source);
  }

  /** The primary answers a `hold`: nothing moves until it is released. */
  onHeld(): void {
    this.#granted++;
    this.#holdWaiters.shift()?.resumeSoon();
    setTimeout(() => {
      // The client has left, or gave up.
      if (this.#granted === 0) return;
      this.#granted--;
      this.releaseMoves();
    }, HOLD_EXPIRES_MS);
  }

  /** The change is over: who waits asks anew, by the next snapshot. */
  close(): void {
    for (const { clients } of this.#asked.values()) for (const client of clients) client.resumeSoon();
    this.#asked.clear();
    for (const client of this.#holdWaiters.splice(0)) client.resumeSoon();
  }

  #flush(): void {
    this.#send({ type: 'settle', moves: this.#moves, keys: this.#batch });
    this.#batch = [];
  }
}
