import { type HoldEvent, holdEnded } from '../events.js';
import type { ClientConnection } from './client-connection.js';

/** For how long the command at hand has waited for the ring, and for what. */
export class RingWait {
  readonly #client: ClientConnection;
  /** By the clock; 0: it does not wait. */
  #since = 0;
  #reason: HoldEvent['reason'] = 'fence';

  constructor(client: ClientConnection) {
    this.#client = client;
  }

  get active(): boolean {
    return this.#since !== 0;
  }

  /** Does nothing when it waits already: a command has one wait, however often it is offered again. */
  begin(now: number, reason: HoldEvent['reason']): void {
    if (this.#since !== 0) return;
    this.#since = now;
    this.#reason = reason;
  }

  /** Whether it has waited for more than these milliseconds. */
  isLongerThan(milliseconds: number, now: number): boolean {
    return this.#since !== 0 && now - this.#since > milliseconds;
  }

  end(now: number, outcome: HoldEvent['outcome']): void {
    const seconds = (now - this.#since) / 1000;
    this.#since = 0;
    if (!holdEnded.hasSubscribers) return;
    const { id: client, address, lastCommand } = this.#client;
    const command = lastCommand?.name ?? 'unknown';
    const event: HoldEvent = { client, address, command, reason: this.#reason, seconds, outcome };
    holdEnded.publish(event);
  }
}
