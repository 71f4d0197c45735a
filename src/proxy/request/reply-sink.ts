import type { Request } from './request.js';
import type { ReplySource, Requester } from './requester.js';

/** What becomes of a node's reply. One of both is called once for each request. */
export interface ReplySink {
  /** Whose command it is a part of, where the request itself does not say it; null: the client has left. */
  readonly requester?: Requester | null;
  /** The whole reply is `buffer[start, end)`; it must be copied if it is needed later. */
  onReply(request: Request, buffer: Buffer, start: number, end: number): void;
  /** No reply comes; `reply` is the error reply that tells why. */
  onFailure(request: Request, reply: Buffer): void;
}

/** A sink that takes large replies as they come, so that nobody has to gather them. */
export interface ReplyStream extends ReplySink {
  /** It takes what comes as fast as it comes, and keeps it: a lane that brings it may be shared with others. */
  readonly gathers?: boolean;
  /** Whether the reply to `request` is the next one that it takes: then pieces cost nobody memory. */
  isNext(request: Request): boolean;
  /**
   * A piece of a large reply; `last`: it ends here.
   * @param source stops reading when nobody takes what comes; null: it must not
   * @returns false when `buffer` was given away to the write and must not be reused
   */
  onReplyPiece(
    request: Request,
    source: ReplySource | null,
    buffer: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): boolean;
  /** The node went away in the middle of a large reply; `reply` is the error reply that tells why. */
  onReplyCut(request: Request, reply: Buffer): void;
}
