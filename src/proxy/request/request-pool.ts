import type { ReplyStream } from './reply-sink.js';
import { Request } from './request.js';
import type { ReplySource } from './requester.js';

/** Spare requests beyond this many are left to the collector. */
const SPARE_LIMIT = 16_384;

/** Takes and gives back requests, so that a command costs no allocation. */
export class RequestPool {
  readonly #spares: Request[] = [];
  /** Takes the replies that nobody waits for, and gives their requests back. */
  readonly nobody: ReplyStream = new Nobody(this);

  take(): Request {
    return this.#spares.pop() ?? new Request(this.nobody);
  }

  give(request: Request): void {
    const { companion } = request;
    if (companion !== null) {
      request.companion = null;
      companion.onDone();
    }
    request.reset(this.nobody);
    if (this.#spares.length < SPARE_LIMIT) this.#spares.push(request);
  }
}

class Nobody implements ReplyStream {
  readonly #requests: RequestPool;

  constructor(requests: RequestPool) {
    this.#requests = requests;
  }

  isNext(): boolean {
    return false;
  }

  onReply(request: Request): void {
    this.#requests.give(request);
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
  }

  onReplyPiece(
    request: Request,
    _source: ReplySource | null,
    _buffer: Buffer,
    _start: number,
    _end: number,
    last: boolean,
  ): boolean {
    if (last) this.#requests.give(request);
    return true;
  }

  onReplyCut(request: Request): void {
    this.#requests.give(request);
  }
}
