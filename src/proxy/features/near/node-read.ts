/**
 * A client's read of one key at its node, while it is on its way. Its reply may be later than what is kept of the key,
 * which is therefore put in doubt; but for what says the very same: of that the client has learned nothing. So reads that
 * go to the node because a kept reply is not sure yet do not make it unsure for longer.
 */
import type { Companion } from '../../request/companion.js';
import type { ReplyStream } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { ReplySource } from '../../request/requester.js';
import type { Fill } from './fill.js';
import type { Keeper } from './keeper.js';
import { NONE } from './store/record.js';

/** What the frame is about is not known: nothing that is kept says the same. */
export const NO_KIND = -1;
const SPARE_READS = 4096;

/** Pooled. */
export class NodeRead implements Companion, ReplyStream {
  /** The read, as the store knows it. */
  hash = 0;
  /** NO_KIND where its hash and its key do not tell what the whole frame is. */
  kind = NO_KIND;
  keyHash = 0;
  /** Its reply is kept; null: it is not. */
  fill: Fill | null = null;
  /** What is kept of the key was put in doubt where it had to be. */
  #isTold = false;
  readonly #keeper: Keeper;
  readonly #pool: NodeReadPool;

  constructor(keeper: Keeper, pool: NodeReadPool) {
    this.#keeper = keeper;
    this.#pool = pool;
  }

  onSent(request: Request): void {
    this.#isTold = false;
    request.streamTo(this);
    this.#keeper.inFlight.beginRead(this.keyHash);
    if (this.fill === null) return;
    // The time to live was asked for on this lane, unless that was full then: it is nobody's otherwise.
    if (request.lane === this.fill.lane) this.fill.begin();
    else this.fill = null;
  }

  reads(keyHash: number): boolean {
    return keyHash === this.keyHash;
  }

  onDone(): void {
    this.#keeper.inFlight.endRead(this.keyHash);
    // Others took the reply, or it was large.
    if (!this.#isTold) this.#keeper.onRead(this.keyHash);
    this.fill?.end();
    this.fill = null;
    this.#pool.give(this);
  }

  isNext(request: Request): boolean {
    return request.client?.isNext(request) ?? false;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#isTold = true;
    const own = this.fill === null ? NONE : this.fill.onValue(buffer, start, end);
    this.#keeper.onReadReply(this, own, buffer, start, end);
    this.#letGo(request).onReply(request, buffer, start, end);
  }

  onFailure(request: Request, reply: Buffer): void {
    this.#letGo(request).onFailure(request, reply);
  }

  onReplyPiece(
    request: Request,
    source: ReplySource | null,
    buffer: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): boolean {
    const client = last ? this.#letGo(request) : (request.client ?? this.#keeper.requests.nobody);
    return client.onReplyPiece(request, source, buffer, start, end, last);
  }

  onReplyCut(request: Request, reply: Buffer): void {
    this.#letGo(request).onReplyCut(request, reply);
  }

  /** Nothing further of the request is seen here. @returns who has it now */
  #letGo(request: Request): ReplyStream {
    const client = request.client ?? this.#keeper.requests.nobody;
    request.streamTo(client);
    return client;
  }
}

/** Takes and gives back reads, so that one costs no allocation. */
export class NodeReadPool {
  readonly #keeper: Keeper;
  readonly #spares: NodeRead[] = [];

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  take(): NodeRead {
    return this.#spares.pop() ?? new NodeRead(this.#keeper, this);
  }

  give(read: NodeRead): void {
    if (this.#spares.length < SPARE_READS) this.#spares.push(read);
  }
}
