import type { ReplyStream } from './reply-sink.js';
import type { Request } from './request.js';

/** Where a request's reply comes from, as far as whoever takes it knows: a lane. */
export interface ReplySource {
  readonly closed: boolean;
  /** The request whose reply is to come next, or null. */
  readonly head: Request | null;
  /** Others wait behind a large reply: it is taken into memory, and its source is not stopped again. */
  readonly absorbs: boolean;
  /** Reads nothing further, because `requester` does not take what comes. */
  pause(requester: Requester): void;
  resume(): void;
  /** Puts a request back that was answered just now, since it stands for further replies, in front of the others. */
  expectAgain(request: Request): void;
}

/** Who has sent a request and has the replies in the order of the requests: a client, as the layers below know it. */
export interface Requester extends ReplyStream {
  readonly id: number;
  readonly address: string;
  /** What it calls itself, or empty. */
  readonly name: string;
  readonly closed: boolean;
  /** The request whose reply is to leave next, or null. */
  readonly head: Request | null;
  /** It has begun to send a large value, and has not ended. */
  readonly uploading: boolean;
  /** The whole reply, in pieces that belong to it from now on. */
  onReplyPieces(request: Request, pieces: Buffer[]): void;
  /** A large reply is on its way to it: it shall not share lanes with others from now on. */
  onLargeReply(): void;
  /** `source` must be read on although it cannot take more. */
  releaseLane(source: ReplySource): void;
  /** Handles what waits, at the end of the turn. */
  resumeSoon(): void;
  /** Ends the connection at once. @param reason for people; empty when the client itself ended it */
  close(reason: string): void;
}
