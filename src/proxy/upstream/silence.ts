/**
 * Whether a node leaves its commands without an answer, long before `request-timeout` makes it count as down: it is
 * stalled, or held up by a command that takes long. Whoever can do without it need not wait for it meanwhile.
 */
import type { Lane } from './lane.js';

/** What is looked at of a lane. */
export type HeardLane = Pick<Lane, 'owner' | 'pool' | 'isSilent'>;

/** A node that has let a command wait for so long is not waited for by what can do without it. Milliseconds. */
export const SILENT_MS = 300;

/** After the proxy itself stood still, replies lie unread: one look is not enough. */
const LOOKS = 2;

export class Silence {
  #seen = 0;

  /**
   * Whether the node is silent. What has come since the last look counts: a client that was answered by the node just
   * now is not told at once that it does not answer.
   * @param now milliseconds, by the clock
   */
  lasts(lanes: Iterable<HeardLane>, now: number): boolean {
    return this.#seen >= LOOKS && holdsUp(lanes, now);
  }

  /** Called about ten times a second. @param now milliseconds, by the clock */
  tick(lanes: Iterable<HeardLane>, now: number): void {
    if (holdsUp(lanes, now)) this.#seen++;
    else this.#seen = 0;
  }
}

/** Whether a command of one of these lanes has had no answer for too long. */
function holdsUp(lanes: Iterable<HeardLane>, now: number): boolean {
  for (const lane of lanes) {
    // A lane of one client alone waits for that client, too: an upload, a command that waits at the node.
    if (lane.owner === null && lane.pool === null && lane.isSilent(now, SILENT_MS)) return true;
  }
  return false;
}
