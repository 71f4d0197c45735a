import { ReplyFramer } from '../../resp/reply-framer.js';
import type { ReplySink, Request } from '../request/request.js';
import type { Lane } from '../upstream/lane.js';

/**
 * A request frame with a large value on its way to a node: its bytes are passed on as they come. Where the
 * frame ends is found by the reply framer, since a request is an array of bulks.
 *
 * However slowly it comes, that is between the proxy and the client: the node is not held for it (`Lane.isReceiving`).
 */
export class Upload {
  /** Null when the command was refused already: its bytes are skipped. */
  readonly lane: Lane | null;
  complete = false;
  /** When the client last sent something of it, by the clock. */
  receivedAt: number;
  readonly #request: Request | null;
  readonly #begunAt: number;
  readonly #framer = new ReplyFramer();

  /** @param request stands in the queues of its client and its lane already; null: it was refused */
  constructor(request: Request | null, now: number) {
    this.#request = request;
    this.lane = request?.lane ?? null;
    this.#begunAt = now;
    this.receivedAt = now;
    if (this.lane !== null) this.lane.isReceiving = true;
  }

  /** Takes the bytes of `buffer[start, end)` that belong to the frame. @returns the offset behind them; -1: malformed */
  pass(buffer: Buffer, start: number, end: number, now: number): number {
    this.receivedAt = now;
    const at = this.#framer.advance(buffer, start, end);
    const { lane } = this;
    if (at < 0) return at;
    this.complete = this.#framer.complete;
    if (lane === null || lane.closed) return at;
    lane.outlet.append(buffer, start, at);
    lane.node.counters.bytesOut += at - start;
    if (this.complete) this.#end(lane, now);
    return at;
  }

  /**
   * @param stall milliseconds in which something of it must come @param total milliseconds in which all of it must come
   * @returns what its client is told when it takes longer; null: it does not
   */
  overdue(now: number, stall: number, total: number): string | null {
    if (now - this.receivedAt > stall) return tooSlow(stall);
    if (now - this.#begunAt <= total) return null;
    return `the value did not come within ${total} ms (client-upload-timeout)`;
  }

  /**
   * It is given up. The node never sees a whole command, and the lane cannot be used by anybody else.
   * @param reply what the client is answered; null: nothing @returns false when it was answered already
   */
  abandon(reply: Buffer | null): boolean {
    const { lane } = this;
    const request = this.#request;
    if (lane === null || request === null || lane.closed) return false;
    if (reply === null) request.silent = true;
    else request.sink = new Abandoned(reply);
    lane.end('closed', 'was not sent the rest of a command');
    return true;
  }

  /** The command is whole: from now on the node is to answer it. */
  #end(lane: Lane, now: number): void {
    lane.isReceiving = false;
    if (this.#request !== null) this.#request.startedAt = now;
    lane.whenIdle ??= giveBack;
  }
}

/** @param stall milliseconds */
export function tooSlow(stall: number): string {
  return `nothing more of the request came for ${stall} ms (client-stall-timeout)`;
}

/** Answers a command that its client has not sent whole. */
class Abandoned implements ReplySink {
  readonly #reply: Buffer;

  constructor(reply: Buffer) {
    this.#reply = reply;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    request.sink = null;
    request.client?.onReply(request, buffer, start, end);
  }

  onFailure(request: Request): void {
    this.onReply(request, this.#reply, 0, this.#reply.length);
  }
}

/** Others may need the lane, now that nothing is in flight: a client that has large values only to send gets it again. */
function giveBack(lane: Lane): void {
  const client = lane.owner;
  if (client === null || client.takesLargeReplies || client.watch?.lane === lane) return;
  const own = client.privateLanes.indexOf(lane);
  if (own < 0) return;
  client.privateLanes.splice(own, 1);
  const at = client.lanes.indexOf(lane);
  if (at >= 0) client.lanes[at] = undefined;
  lane.node.releasePrivate(lane);
}
