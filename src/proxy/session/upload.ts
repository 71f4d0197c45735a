import { ReplyFramer } from '../../resp/reply-framer.js';
import type { KeyHash } from '../../ring/rings.js';
import type { ReplySink } from '../request/reply-sink.js';
import type { KeysOfRequest, Request } from '../request/request.js';
import type { Lane } from '../upstream/lane.js';

/** Where a large value goes: to `lane`, or nowhere, and the client is answered `failure`. */
export interface UploadPlan {
  /** The command's id. */
  readonly command: number;
  readonly keys: KeysOfRequest;
  /** Of its key, as `Request.keyHash`. */
  readonly keyHash: KeyHash;
  /** Where its key stands in the buffer that has the beginning of the frame. */
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly lane: Lane | null;
  readonly failure: Buffer;
  /** Frames of the proxy's own that run right behind it. */
  readonly behind: readonly Buffer[];
}

/** A large value that goes to a node. */
export interface Sending {
  /** Stands in the queues of its client and its lane already. */
  readonly request: Request;
  readonly lane: Lane;
  /** Called when nothing is in flight on the lane any more. */
  readonly whenIdle: (lane: Lane) => void;
  /** Frames that are sent behind it. */
  readonly behind: readonly Buffer[];
}

/**
 * A request frame with a large value on its way to a node: its bytes are passed on as they come. Where the
 * frame ends is found by the reply framer, since a request is an array of bulks.
 *
 * However slowly it comes, that is between the proxy and the client: the node is not held for it (`Lane.beginReceiving`).
 */
export class Upload {
  /** Null when the command was refused already: its bytes are skipped. */
  readonly lane: Lane | null;
  complete = false;
  /** When the client last sent something of it, by the clock. */
  receivedAt: number;
  readonly #sending: Sending | null;
  readonly #begunAt: number;
  readonly #framer = new ReplyFramer();

  /** @param sending null: it was refused */
  constructor(sending: Sending | null, now: number) {
    this.#sending = sending;
    this.lane = sending?.lane ?? null;
    this.#begunAt = now;
    this.receivedAt = now;
    if (this.lane !== null) this.lane.beginReceiving();
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
    if (this.complete) this.#end(now);
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
    if (this.#sending === null || this.#sending.lane.closed) return false;
    const { request, lane } = this.#sending;
    if (reply === null) request.silent = true;
    else request.answerTo(new Abandoned(reply));
    lane.end('closed', 'was not sent the rest of a command');
    return true;
  }

  /** The command is whole: from now on the node is to answer it. */
  #end(now: number): void {
    if (this.#sending === null) return;
    const { request, lane, whenIdle, behind } = this.#sending;
    lane.endReceiving();
    for (const frame of behind) lane.ask(frame, null);
    request.startedAt = now;
    if (!lane.isAwaited) lane.whenIdle(whenIdle);
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
    request.client?.onReply(request, buffer, start, end);
  }

  onFailure(request: Request): void {
    this.onReply(request, this.#reply, 0, this.#reply.length);
  }
}
