/**
 * Where the bytes go that come by a lane. A reply that is whole in one chunk is handed on from there. One that is cut
 * is gathered in `#carry`; one that is large is streamed to its client as its chunks arrive (`#streaming`).
 */
import { ReplyFramer } from '../../resp/reply-framer.js';
import type { ChunkPool } from '../io/chunk-pool.js';
import type { DataPlaneOptions } from '../options.js';
import type { ReplyStream } from '../request/reply-sink.js';
import type { Request } from '../request/request.js';
import type { ReplySource } from '../request/requester.js';
import { ReplyCarry } from './reply-carry.js';

/** A reply above this size is handed to its client as it comes, where it is the client's turn. */
const PASS_BYTES = 16_384;
const PUSH_BYTE = 0x3e;
const BULK_BYTE = 0x24;

/** Whose bytes are read, and who hears of what they are: the lane. */
export interface ReplyReceiver extends ReplySource {
  readonly ready: boolean;
  /** A whole reply is here, whose it ever is. */
  onWholeReply(buffer: Buffer, start: number, end: number): void;
  /** The reply of the head is large, and is passed on from now on: nobody else shall wait behind it. */
  onLargeReply(request: Request): void;
  /** The last piece of the head's reply is about to be passed on. */
  onStreamed(request: Request): void;
}

export interface ReplyReaderOptions {
  /** The buffer to read into, which others share; null: one of its own. */
  readonly receive: Buffer | null;
  readonly pool: ChunkPool;
  /** Replies above `streamThreshold` are passed on as they come, whoever waits behind them. */
  readonly options: Pick<DataPlaneOptions, 'streamThreshold'>;
  /** Takes a large reply that nobody wants. */
  readonly nobody: ReplyStream;
}

export class ReplyReader {
  readonly #lane: ReplyReceiver;
  readonly #framer = new ReplyFramer();
  readonly #carry = new ReplyCarry();
  readonly #pool: ChunkPool;
  readonly #options: ReplyReaderOptions['options'];
  readonly #nobody: ReplyStream;
  readonly #sharesReceive: boolean;
  #receive: Buffer;
  /** The chunk at hand, once a write has it: whoever else is sent a piece of it gets a copy. */
  #givenAway: Buffer | null = null;
  /** The chunk at hand, where others will read into it next. */
  #lent: Buffer | null = null;
  #inReply = false;
  #streaming = false;
  /** Whether this stream may stop the lane's reading for a slow client: only where nobody else is to wait for it. */
  #mayPause = false;

  constructor(lane: ReplyReceiver, { receive, pool, options, nobody }: ReplyReaderOptions) {
    this.#lane = lane;
    this.#pool = pool;
    this.#options = options;
    this.#nobody = nobody;
    this.#sharesReceive = receive !== null;
    this.#receive = receive ?? pool.take();
  }

  /** What the next chunk is to be read into. */
  get receiveBuffer(): Buffer {
    return this.#receive;
  }

  /** A large reply is on its way. */
  get isStreaming(): boolean {
    return this.#streaming;
  }

  /** Takes `chunk[0, length)`, until the lane has ended. @returns false when it is no reply */
  read(chunk: Buffer, length: number): boolean {
    const framer = this.#framer;
    const lane = this.#lane;
    this.#givenAway = null;
    this.#lent = this.#sharesReceive || chunk !== this.#receive ? chunk : null;
    let at = 0;
    while (at < length) {
      const end = framer.advance(chunk, at, length);
      if (end < 0) return false;
      if (!this.#inReply && framer.complete) this.#onWhole(chunk, at, end);
      else this.#onPiece(chunk, at, end, framer.complete);
      if (lane.closed) return true;
      at = end;
    }
    return true;
  }

  /** Nothing is read any more. */
  drop(): void {
    this.#carry.take(false);
  }

  /** A whole reply in one piece. */
  #onWhole(buffer: Buffer, start: number, end: number): void {
    const lane = this.#lane;
    if (lane.ready) {
      // Out-of-band messages of RESP3 answer no request.
      if (this.#framer.type === PUSH_BYTE) return;
      if (end - start > PASS_BYTES && buffer[start] === BULK_BYTE && buffer === this.#receive) {
        const request = lane.head;
        if (request !== null && isPassable(request)) {
          this.#stream(buffer, start, end, true);
          return;
        }
      }
    }
    lane.onWholeReply(buffer, start, end);
  }

  /** A piece of a reply that is not whole in this chunk; `last`: it ends here. */
  #onPiece(buffer: Buffer, start: number, end: number, last: boolean): void {
    if (this.#streaming) {
      this.#stream(buffer, start, end, last);
      return;
    }
    this.#inReply = true;
    const request = this.#lane.head;
    const size = this.#carry.used + (end - start) + this.#framer.bulkRemaining;
    if (request !== null && size > PASS_BYTES && this.#lane.ready && this.#framer.type !== PUSH_BYTE) {
      const large = size > this.#options.streamThreshold;
      if (large && request.stream !== null) {
        this.#streaming = true;
        this.#mayPause = request.stream.gathers !== true;
        if (this.#mayPause) this.#lane.onLargeReply(request);
        this.#streamCarry();
        if (!this.#lane.closed) this.#stream(buffer, start, end, last);
        return;
      }
      if (this.#carry.used === 0 && isPassable(request)) {
        this.#streaming = true;
        this.#mayPause = false;
        this.#stream(buffer, start, end, last);
        return;
      }
    }
    this.#carry.gather(buffer, start, end, this.#framer.bulkRemaining);
    if (!last) return;
    const { used } = this.#carry;
    const reply = this.#carry.take(true);
    this.#inReply = false;
    if (reply !== null) this.#onWhole(reply, 0, used);
  }

  /** What was gathered before the reply turned out to be large. */
  #streamCarry(): void {
    const { used } = this.#carry;
    const carry = this.#carry.take(false);
    if (carry !== null) this.#stream(carry, 0, used, false);
  }

  #stream(buffer: Buffer, start: number, end: number, last: boolean): void {
    const request = this.#lane.head as Request;
    if (last) {
      this.#streaming = false;
      this.#inReply = false;
      this.#lane.onStreamed(request);
    }
    const stream = request.stream ?? this.#nobody;
    const source = this.#mayPause ? this.#lane : null;
    if (buffer === this.#givenAway || buffer === this.#lent) {
      // Others will read into it before the client has taken these bytes.
      const bytes = Buffer.from(buffer.subarray(start, end));
      stream.onReplyPiece(request, source, bytes, 0, bytes.length, last);
      return;
    }
    const reusable = stream.onReplyPiece(request, source, buffer, start, end, last);
    // The kernel still reads from the receive buffer: the next chunk needs another one.
    if (!reusable && buffer === this.#receive) {
      this.#givenAway = buffer;
      this.#receive = this.#pool.take();
    }
  }
}

/** Whether the reply at the head can go straight to its client. */
function isPassable(request: Request): boolean {
  return request.stream?.isNext(request) === true;
}
