/** In a worker: what asks the primary about moved keys, as it changes from one snapshot to the next. */
import type { KeyMoves } from '../../../proxy/key-moves.js';
import type { Timers } from '../../../time/timers.js';
import type { FromWorker, SentSnapshot, ToWorker } from '../messages.js';
import { RemoteMoves } from './remote-moves.js';

export class ChangingMoves {
  readonly #send: (message: FromWorker) => void;
  readonly #timers: Timers;
  #moves: RemoteMoves | null = null;
  /** Of the change whose keys move; 0: none does. */
  #number = 0;

  constructor(send: (message: FromWorker) => void, timers: Timers) {
    this.#send = send;
    this.#timers = timers;
  }

  /**
   * Goes over to the change of this snapshot.
   * @param publish has the data plane route by the snapshot, with what it asks about moved keys; null: none move. Who
   *   waits by the change before asks anew only then.
   */
  adopt({ moves: number, swept, runIds }: SentSnapshot, publish: (moves: KeyMoves | null) => void): void {
    const before = this.#moves;
    if (number !== this.#number) {
      this.#moves = number === 0 ? null : new RemoteMoves(number, swept, runIds, this.#send, this.#timers);
      this.#number = number;
    }
    publish(this.#moves);
    if (before !== this.#moves) before?.close();
  }

  onSettled({ moves, token, settled }: ToWorker<'settled'>): void {
    if (moves === this.#number) this.#moves?.onSettled(token, settled);
  }

  onSwept({ moves, source }: ToWorker<'swept'>): void {
    if (moves === this.#number) this.#moves?.onSwept(source);
  }

  onNoted({ moves, question, noted }: ToWorker<'noted'>): void {
    if (moves === this.#number) this.#moves?.onNoted(question, noted);
  }

  onHeld({ moves }: ToWorker<'held'>): void {
    if (moves === this.#number) this.#moves?.onHeld();
    // Whoever asked for it asks anew, by the snapshot that has come meanwhile.
    else this.#send({ type: 'release', moves });
  }
}
