import type { Outlet } from '../io/outlet.js';
import type { Request } from '../request/request.js';

/**
 * For how long the command at a lane's head has had no answer. Its time begins when it has been sent whole, and
 * begins anew with whatever comes from the node.
 */
export class LaneTimeouts {
  readonly #outlet: Outlet;
  #lastReplyAt = 0;
  /** When the node was last seen to take bytes that waited for it, and how many it had taken by then. */
  #lastSentAt = 0;
  #sent = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** Something has come from the node, or it was not listened to before. @param now by the clock, as all here */
  heard(now: number): void {
    this.#lastReplyAt = now;
  }

  /**
   * Called about ten times a second.
   * @param waitsForClient the rest of the only command is still to come from its client
   */
  watchSending(now: number, waitsForClient: boolean): void {
    const { pending, written } = this.#outlet;
    if (!(waitsForClient && pending === 0) && (pending === 0 || written === this.#sent)) return;
    this.#sent = written;
    this.#lastSentAt = now;
  }

  /** For how long the node has owed the answer to `head`. Milliseconds. */
  waited(head: Request, now: number): number {
    return now - Math.max(head.startedAt, this.#lastReplyAt, this.#lastSentAt);
  }

  /** For how long nothing has come from the node since `head` began, however slowly that is sent. Milliseconds. */
  sinceHeard(head: Request, now: number): number {
    return now - Math.max(head.startedAt, this.#lastReplyAt);
  }
}
