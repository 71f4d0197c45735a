import type { ReplyStream } from './reply-sink.js';
import type { Request } from './request.js';
import type { ReplySource, Requester } from './requester.js';

/** Sees a client's reply before the client does; what it does not keep for itself is the client's, a large one as it comes. */
export abstract class ClientStream implements ReplyStream {
  readonly #client: Requester;

  constructor(client: Requester) {
    this.#client = client;
  }

  isNext(request: Request): boolean {
    return this.#client.isNext(request);
  }

  abstract onReply(request: Request, buffer: Buffer, start: number, end: number): void;

  onFailure(request: Request, reply: Buffer): void {
    this.letGo(request);
    this.#client.onFailure(request, reply);
  }

  onReplyPiece(
    request: Request,
    source: ReplySource | null,
    buffer: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): boolean {
    if (last) this.letGo(request);
    return this.#client.onReplyPiece(request, source, buffer, start, end, last);
  }

  onReplyCut(request: Request, reply: Buffer): void {
    this.letGo(request);
    this.#client.onReplyCut(request, reply);
  }

  /** The reply `buffer[start, end)` is the client's. */
  protected pass(request: Request, buffer: Buffer, start: number, end: number): void {
    this.letGo(request);
    this.#client.onReply(request, buffer, start, end);
  }

  /** Nothing further of the request is seen here. */
  protected letGo(request: Request): void {
    request.streamTo(this.#client);
  }
}
