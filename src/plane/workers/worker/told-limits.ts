/** In a worker: the primary, which counts the clients of all workers together, is asked and told of its own. */

import type { CountedBy } from '../../../proxy/measure/limit-counts.js';
import type { LimitPeers } from '../../../proxy/session/limits/limit-peers.js';
import type { Timers } from '../../../time/timers.js';
import type { ToWorker } from '../messages.js';
import { Questions } from '../questions.js';
import type { SendToPrimary } from './primary.js';

export class ToldLimits implements LimitPeers {
  readonly #send: SendToPrimary;
  readonly #seats: Questions<boolean>;
  /** By question. */
  readonly #asked = new Map<number, string>();
  /** Who has left in this turn of the event loop. */
  #left: { by: CountedBy; name: string }[] = [];

  constructor(send: SendToPrimary, timers: Timers) {
    this.#send = send;
    this.#seats = new Questions<boolean>(false, timers);
  }

  ask(user: string): Promise<boolean> {
    return this.#seats.ask((question) => {
      this.#asked.set(question, user);
      // Who has left makes room first.
      this.#tellLeft();
      this.#send({ type: 'seat-wanted', question, user });
    });
  }

  onSeat({ question, granted }: ToWorker<'seat'>): void {
    const user = this.#asked.get(question);
    this.#asked.delete(question);
    // Nobody waits any more for what comes too late.
    if (!this.#seats.answer(question, granted) && granted && user !== undefined) this.left(user);
  }

  entered(user: string): void {
    this.#tellLeft();
    this.#send({ type: 'user-entered', user });
  }

  left(user: string): void {
    this.leftBy('user', user);
  }

  /** A client that was counted so has gone. */
  leftBy(by: CountedBy, name: string): void {
    this.#left.push({ by, name });
    if (this.#left.length === 1) setImmediate(() => this.#tellLeft());
  }

  #tellLeft(): void {
    if (this.#left.length === 0) return;
    const left = this.#left;
    this.#left = [];
    this.#send({ type: 'left', left });
  }
}
