/**
 * In a worker: what the data plane asks about moved keys of one change. The keys are moved by the primary process
 * alone, so that a key is moved by one process at a time (`../primary/shared-moves.ts`); what is known to have moved
 * is remembered here as well.
 */
import type { KeyMoves, MoveWaiter } from '../../../proxy/key-moves.js';
import { AskedKeys, type KeyOfSource } from '../../../rebalance/moves/asked-keys.js';
import { GrantedHolds } from '../../../rebalance/moves/granted-holds.js';
import { SettledKeys } from '../../../rebalance/settled-keys.js';
import { systemTimers, type Timers } from '../../../time/timers.js';
import type { FromWorker } from '../messages.js';

/** Who has asked for a hold has left. */
const NOBODY: MoveWaiter = { resumeSoon: () => {} };

export class RemoteMoves implements KeyMoves {
  readonly #moves: number;
  readonly #send: (message: FromWorker) => void;
  readonly #runIds: readonly string[];
  readonly #settled = new SettledKeys();
  /** Sources do not have these any more: to be told to the primary in this turn. */
  #gone: KeyOfSource[] = [];
  /** What was told, and has not been answered, by question. */
  readonly #told = new Map<number, readonly KeyOfSource[]>();
  #nextQuestion = 1;
  readonly #asked: AskedKeys;
  readonly #holds: GrantedHolds;
  readonly #holdWaiters: MoveWaiter[] = [];
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
    this.#asked = new AskedKeys((keys) => send({ type: 'settle', moves, keys }));
    this.#holds = new GrantedHolds(timers);
    for (const source of swept) this.#settled.addSource(source);
  }

  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean {
    return this.#settled.has(source, database, buffer, start, end);
  }

  get sweptSources(): readonly number[] {
    return this.#settled.sources;
  }

  runIdOf(source: number): string {
    return this.#runIds[source] ?? '';
  }

  /** Counts when whoever moves the key knows of it: that must know all that is settled. */
  noteGone(source: number, database: number, key: Buffer): void {
    if (this.#closed || this.#settled.has(source, database, key, 0, key.length)) return;
    this.#gone.push({ source, database, key });
    if (this.#gone.length === 1) setImmediate(() => this.#flushGone());
  }

  settle(source: number, target: number, database: number, key: Buffer, client: MoveWaiter): void {
    this.#asked.settle(source, target, database, key, client);
  }

  holdMoves(client: MoveWaiter): boolean {
    if (this.#holds.take()) return true;
    if (this.#closed) {
      client.resumeSoon();
      return false;
    }
    this.#holdWaiters.push(client);
    this.#send({ type: 'hold', moves: this.#moves });
    return false;
  }

  releaseMoves(): void {
    this.#holds.release();
  }

  /** The primary answers a `settle`. */
  onSettled(token: number, settled: boolean): void {
    this.#asked.answer(token, ({ source, database, key }) => {
      if (settled) this.#settled.add(source, database, key);
    });
  }

  /** The primary answers a `gone`. */
  onNoted(question: number, noted: boolean): void {
    const keys = this.#told.get(question) ?? [];
    this.#told.delete(question);
    if (noted) for (const { source, database, key } of keys) this.#settled.add(source, database, key);
  }

  onSwept(source: number): void {
    this.#settled.addSource(source);
  }

  /** The primary answers a `hold`: nothing moves until it is released. */
  onHeld(): void {
    this.#holds.grant(this.#holdWaiters.shift() ?? NOBODY, () => this.#send({ type: 'release', moves: this.#moves }));
  }

  /** The change is over: who waits, or asks by it yet, asks anew, by the next snapshot. */
  close(): void {
    this.#closed = true;
    this.#asked.close();
    this.#told.clear();
    for (const client of this.#holdWaiters.splice(0)) client.resumeSoon();
  }

  #flushGone(): void {
    const [question, keys] = [this.#nextQuestion++, this.#gone];
    this.#gone = [];
    this.#told.set(question, keys);
    this.#send({ type: 'gone', moves: this.#moves, question, keys });
  }
}
