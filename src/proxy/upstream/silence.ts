/**
 * Whether a node leaves its commands without an answer, long before `request-timeout` makes it count as down: it is
 * stalled, or held up by a command that takes long. Whoever can do without it need not wait for it meanwhile.
 */
import type { Lane } from './lane.js';

/** A node that has let a command wait for so long is not waited for by what can do without it. Milliseconds. */
export const SILENT_MS = 300;

/** After the proxy itself stood still, replies lie unread: one look is not enough. */
const LOOKS = 2;

export class Silence {
  #seen = 0;

  /** Whether the node is silent. */
  get lasts(): boolean {
    return this.#seen >= LOOKS;
  }

  /** Called about ten times a second. @param now milliseconds, by the clock */
  tick(lanes: Iterable<Lane>, now: number): void {
    for (const lane of lanes) {
      // A lane of one client alone waits for that client, too: an upload, a command that waits at the node.
      if (lane.owner !== null || lane.pool !== null || !lane.isSilent(now, SILENT_MS)) continue;
      this.#seen++;
      return;
    }
    this.#seen = 0;
  }
}
