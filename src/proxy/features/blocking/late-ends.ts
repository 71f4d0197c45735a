import type { UnblockMode } from '../../peers/peers.js';
import type { Lane } from '../../upstream/lane.js';
import { unblock } from './unblock.js';

/** Waits that are to be ended as soon as their lanes are there. */
export class LateEnds {
  /** Not any more when the lane has answered `until` requests by then. */
  readonly #ends = new Map<Lane, { readonly mode: UnblockMode; readonly until: number }>();

  /** Ends the wait on this lane, once the node has been sent what is to be ended. */
  end(lane: Lane, mode: UnblockMode): void {
    if (lane.ready) unblock(lane, mode);
    else this.#ends.set(lane, { mode, until: lane.answered + lane.inflight });
  }

  /** Called about ten times a second. */
  tick(): void {
    for (const [lane, { mode, until }] of this.#ends) {
      if (!lane.ready && !lane.closed) continue;
      this.#ends.delete(lane);
      if (lane.ready && lane.answered < until) unblock(lane, mode);
    }
  }
}
