import type { ReplyStream } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { ReplySource } from '../../request/requester.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Fill } from './fill.js';

/** What a read of the proxy's own has found. */
export interface FillReader {
  /** The value, nil, or an error is `buffer[start, end)`. */
  onRead(read: FillRead, buffer: Buffer, start: number, end: number): void;
  /** The key has a large value. */
  onLargeRead(read: FillRead): void;
  /** The node did not answer. */
  onReadFailed(read: FillRead): void;
}

/** A read of the proxy's own, of a key for which clients wait. */
export class FillRead implements ReplyStream {
  readonly fill: Fill;
  /** Whose write of the key it goes behind; null: nobody's here. */
  readonly writer: ClientConnection | null;
  /** Set when it was sent. */
  node: UpstreamNode | null = null;
  /** Where the key is if it is not there: it changes hands. */
  readonly otherwise: UpstreamNode | null;
  readonly #reader: FillReader;
  readonly #requests: RequestPool;

  constructor(
    reader: FillReader,
    requests: RequestPool,
    fill: Fill,
    writer: ClientConnection | null,
    otherwise: UpstreamNode | null,
  ) {
    this.#reader = reader;
    this.#requests = requests;
    this.fill = fill;
    this.writer = writer;
    this.otherwise = otherwise;
  }

  /** What is small is gathered. */
  isNext(): boolean {
    return false;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#requests.give(request);
    this.#reader.onRead(this, buffer, start, end);
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
    this.#reader.onReadFailed(this);
  }

  onReplyPiece(
    request: Request,
    _source: ReplySource | null,
    _buffer: Buffer,
    _start: number,
    _end: number,
    last: boolean,
  ): boolean {
    if (last) {
      this.#requests.give(request);
      this.#reader.onLargeRead(this);
    }
    return true;
  }

  onReplyCut(request: Request): void {
    this.onFailure(request);
  }
}
