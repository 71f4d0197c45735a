import type { Outlet } from '../io/outlet.js';
import type { ReplySource, Requester } from '../request/requester.js';

/** A client whose unread output exceeds this stops the lane that streams a large reply to it. */
export const STREAM_HIGH_WATER = 1_048_576;

/** The lanes that are not read because this client does not take what they bring. */
export class PausedLanes {
  readonly #client: Requester;
  readonly #outlet: Outlet;
  readonly #lanes = new Set<ReplySource>();

  constructor(client: Requester, outlet: Outlet) {
    this.#client = client;
    this.#outlet = outlet;
  }

  get size(): number {
    return this.#lanes.size;
  }

  pause(lane: ReplySource): void {
    lane.pause(this.#client);
    this.#lanes.add(lane);
    this.#outlet.wantsDrain = true;
  }

  /** Lets the lane go on that brings the reply whose turn it is, once the client has taken enough. */
  resumeNext(): void {
    if (this.#outlet.pending > STREAM_HIGH_WATER) {
      this.#outlet.wantsDrain = true;
      return;
    }
    const client = this.#client;
    for (const lane of this.#lanes) {
      if (lane.closed || lane.head === client.head || lane.head?.client !== client) this.resume(lane);
    }
  }

  resume(lane: ReplySource): void {
    this.#lanes.delete(lane);
    lane.resume();
  }

  resumeAll(): void {
    for (const lane of this.#lanes) this.resume(lane);
  }
}
