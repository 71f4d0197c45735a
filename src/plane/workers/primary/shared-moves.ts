/**
 * In the primary: keys are moved by this process alone, so that a key is moved by one process at a time. Here workers
 * ask for that, and are told what has moved; the other end is `../worker/remote-moves.ts`.
 *
 * Each change has a number. What a worker asks under another one than the current is from before it has read the
 * snapshot that is on its way to it: nothing is done for it, and it is answered all the same.
 */
import type { KeyMoves } from '../../../proxy/key-moves.js';
import type { RoutingSnapshot } from '../../../proxy/snapshot.js';
import { bytesOf, type FromWorker, type SentSnapshot, type ToWorker, toSent } from '../messages.js';

/** A worker, as it asks. */
export interface Asker {
  readonly ended: boolean;
  send(message: ToWorker): void;
}

/** Moves hold still for a worker. */
interface Hold {
  /** The change's number. */
  readonly number: number;
  readonly by: KeyMoves;
}

export class SharedMoves {
  readonly #workers: Iterable<Asker>;
  #snapshot: RoutingSnapshot | null = null;
  /** Of the change whose keys move; 0: none does. */
  #number = 0;
  #changes = 0;
  readonly #holds = new Map<Asker, Hold[]>();

  /** @param workers those that live */
  constructor(workers: Iterable<Asker>) {
    this.#workers = workers;
  }

  /** The snapshot as workers are given it; null before there is one. */
  get sent(): SentSnapshot | null {
    return this.#snapshot === null ? null : toSent(this.#snapshot, this.#number);
  }

  publish(snapshot: RoutingSnapshot): void {
    // One that goes on is a new number as well: what workers were told before they forgot may still be on its way.
    if (snapshot.moves !== this.#snapshot?.moves) this.#number = snapshot.moves === null ? 0 : ++this.#changes;
    this.#snapshot = snapshot;
    const { sent } = this;
    if (sent !== null) for (const worker of this.#workers) worker.send({ type: 'publish', snapshot: sent });
  }

  /** A source has no moved key left. */
  sourceSwept(source: number): void {
    for (const worker of this.#workers) worker.send({ type: 'swept', moves: this.#number, source });
  }

  onSettle(worker: Asker, message: FromWorker<'settle'>): void {
    const moves = this.#current(message.moves);
    for (const { token, source, target, database, key } of message.keys) {
      const bytes = bytesOf(key);
      const isSettled = (): boolean => moves?.isSettled(source, database, bytes, 0, bytes.length) === true;
      const answer = (): void => worker.send({ type: 'settled', moves: message.moves, token, settled: isSettled() });
      if (moves === null || isSettled()) answer();
      else moves.settle(source, target, database, bytes, { resumeSoon: answer });
    }
  }

  onGone(worker: Asker, { moves, question, keys }: FromWorker<'gone'>): void {
    const current = this.#current(moves);
    for (const { source, database, key } of keys) current?.noteGone(source, database, bytesOf(key));
    // What another proxy moves counts when that one knows of it.
    const noted = keys.every(({ source, database, key }) => {
      const bytes = bytesOf(key);
      return current?.isSettled(source, database, bytes, 0, bytes.length) === true;
    });
    worker.send({ type: 'noted', moves, question, noted });
  }

  onHold(worker: Asker, { moves: number }: FromWorker<'hold'>): void {
    const moves = this.#current(number);
    if (moves === null || worker.ended) return;
    if (!moves.holdMoves({ resumeSoon: () => this.onHold(worker, { type: 'hold', moves: number }) })) return;
    const holds = this.#holds.get(worker) ?? [];
    this.#holds.set(worker, holds);
    holds.push({ number, by: moves });
    worker.send({ type: 'held', moves: number });
  }

  /** Whoever was asked to hold still is released, also when its change is over, or goes on under another number. */
  onRelease(worker: Asker, { moves: number }: FromWorker<'release'>): void {
    const holds = this.#holds.get(worker) ?? [];
    const at = holds.findIndex((hold) => hold.number === number);
    const [hold] = at < 0 ? [] : holds.splice(at, 1);
    hold?.by.releaseMoves();
  }

  /** The worker has died: nobody else would release what holds still for it. */
  onExit(worker: Asker): void {
    const holds = this.#holds.get(worker) ?? [];
    this.#holds.delete(worker);
    for (const { by } of holds) by.releaseMoves();
  }

  /** @returns what moves keys now, if that is the change with this number */
  #current(number: number): KeyMoves | null {
    return number === this.#number ? (this.#snapshot?.moves ?? null) : null;
  }
}
