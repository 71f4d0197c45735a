/**
 * In a worker: what the data plane asks about moved keys of one change. The keys are moved by the primary process
 * alone, so that a key is moved by one process at a time (`../primary/shared-moves.ts`); what is known to have moved
 * is remembered here as well.
 */
import type { KeyMoves, MoveWaiter } from '../../../proxy/key-moves.js';
import { keyName } from '../../../rebalance/key-name.js';
import { SettledKeys } from '../../../rebalance/settled-keys.js';
import { systemTimers, type Timers } from '../../../time/timers.js';
import type { FromWorker, KeyOfSource, KeyToSettle } from '../messages.js';

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
  readonly #runIds: readonly string[];
  readonly #timers: Pick<Timers, 'after'>;
  readonly #settled = new SettledKeys();
  /** Sources do not have these any more: to be told to the primary, which must know all that is settled. */
  #gone: KeyOfSource[] = [];
  readonly #asked = new Map<number, Asked>();
  readonly #tokens = new Map<string, number>();
  #nextToken = 1;
  /** Asked for in this turn of the event loop. */
  #batch: KeyToSettle[] = [];
  readonly #holdWaiters: MoveWaiter[] = [];
  /** Granted holds that nobody has taken yet. */
  #granted = 0;
  #closed = false;

  /**
   * @param moves the change's number
   * @param swept sources that have no moved key left
   * @param runIds of the sources' processes, as they were at the fence
   */
  constructor(
    moves: number,
    swept: readonly number[],
    runIds: readonly string[],
    send: (message: FromWorker) => void,
    timers: Pick<Timers, 'after'> = systemTimers,
  ) {
    this.#moves = moves;
    this.#runIds = runIds;
    this.#send = send;
    this.#timers = timers;
    for (const source of swept) this.#settled.addSource(source);
  }

  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean {
    return this.#settled.has(source, database, buffer, start, end);
  }

  runIdOf(source: number): string {
    return this.#runIds[source] ?? '';
  }

  noteGone(source: number, database: number, key: Buffer): void {
    if (this.#settled.has(source, database, key, 0, key.length)) return;
    this.#settled.add(source, database, key);
    this.#gone.push({ source, database, key });
    if (this.#gone.length === 1) setImmediate(() => this.#flushGone());
  }

  settle(source: number, target: number, database: number, key: Buffer, client: MoveWaiter): void {
    if (this.#closed) {
      client.resumeSoon();
      return;
    }
    const name = keyName(source, database, key);
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
    if (this.#closed) {
      client.resumeSoon();
      return false;
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
    this.#tokens.delete(keyName(asked.source, asked.database, asked.key));
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
    this.#timers.after(HOLD_EXPIRES_MS, () => {
      // The client has left, or gave up.
      if (this.#granted === 0) return;
      this.#granted--;
      this.releaseMoves();
    });
  }

  /** The change is over: who waits, or asks by it yet, asks anew, by the next snapshot. */
  close(): void {
    this.#closed = true;
    for (const { clients } of this.#asked.values()) for (const client of clients) client.resumeSoon();
    this.#asked.clear();
    for (const client of this.#holdWaiters.splice(0)) client.resumeSoon();
  }

  #flushGone(): void {
    this.#send({ type: 'gone', moves: this.#moves, keys: this.#gone });
    this.#gone = [];
  }

  #flush(): void {
    this.#send({ type: 'settle', moves: this.#moves, keys: this.#batch });
    this.#batch = [];
  }
}
