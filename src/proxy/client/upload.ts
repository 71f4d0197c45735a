import { ReplyFramer } from '../../resp/reply-framer.js';
import type { Lane } from '../upstream/lane.js';

/**
 * A request frame with a large value on its way to a node: its bytes are passed on as they come. Where the
 * frame ends is found by the reply framer, since a request is an array of bulks.
 */
export class Upload {
  /** Null when the command was refused already: its bytes are skipped. */
  readonly lane: Lane | null;
  complete = false;
  readonly #framer = new ReplyFramer();

  constructor(lane: Lane | null) {
    this.lane = lane;
  }

  /** Takes the bytes of `buffer[start, end)` that belong to the frame. @returns the offset behind them */
  pass(buffer: Buffer, start: number, end: number): number {
    const at = this.#framer.advance(buffer, start, end);
    this.complete = this.#framer.complete;
    if (at < 0) {
      // The node would not find the frame's end either: it never gets the rest.
      this.lane?.end('closed', 'was sent a malformed request');
      this.complete = true;
      return end;
    }
    const lane = this.lane;
    if (lane !== null && !lane.closed) {
      lane.outlet.append(buffer, start, at);
      lane.node.counters.bytesOut += at - start;
    }
    return at;
  }
}
