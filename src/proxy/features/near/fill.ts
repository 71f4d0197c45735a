/**
 * A read that is kept when it is answered. In front of it, on the same lane, PTTL asks how long the key lives:
 *
 *   lane   [PTTL key][GET key]            one write
 *   feed                        [PING]    when the reply is there
 *
 * Whether the key changed between the two, or the reply was overtaken by a change, the answer to PING tells: until then
 * the reply is kept and not served, and what has changed has ended it by then. Both times count from when the read was
 * sent, before the node can have looked, so what is kept ends no later than the key.
 */
import type { MissingReply } from '../../../commands/columns.js';
import { copyBytes } from '../../../resp/bytes.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { lastingBytes, wordsOf } from '../../../resp/words.js';
import { type KeyHash, NO_HASH } from '../../../ring/rings.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { Lane } from '../../upstream/lane.js';
import type { Keeper } from './keeper.js';
import { NONE } from './store/record.js';

const ERROR_BYTE = 0x2d;
const INTEGER_BYTE = 0x3a;
const NO_EXPIRY = -1;
/** The key is not there. */
const NO_KEY = -2;
const FIRST_REST_BYTES = 64;
/** One whose frame was longer is left to the collector. */
const MOST_SPARE_REST_BYTES = 1024;
const SPARE_FILLS = 1024;

/** What is read, as it was when it was sent, and what both replies say. Pooled. */
export class Fill implements ReplySink {
  hash = 0;
  kind = 0;
  keyHash = 0;
  /** Of the key, as the ring has it. */
  ringHash: KeyHash = NO_HASH;
  group = 0;
  /** What the frame has behind the command's name. */
  rest = lastingBytes(FIRST_REST_BYTES);
  restLength = 0;
  /** By which both are asked. */
  lane: Lane | null = null;
  slot = 0;
  epoch = 0;
  version = 0;
  generation = 0;
  sentAt = 0;
  /** Most milliseconds that it is kept. */
  most = 0;
  /** Replies that say that the key is not there are not kept; null: they are. */
  leavesOut: MissingReply | null = null;
  #words = wordsOf(this.rest);
  #ttl: number | null = null;
  readonly #pool: FillPool;

  constructor(pool: FillPool) {
    this.#pool = pool;
  }

  /** Of the read: `source[start, end)`. */
  copyRest(source: Buffer, start: number, end: number): void {
    this.restLength = end - start;
    if (this.restLength > this.rest.length) {
      this.rest = lastingBytes(this.restLength * 2);
      this.#words = wordsOf(this.rest);
    }
    copyBytes(this.rest, this.#words, 0, source, start, end);
  }

  /** PTTL is answered. */
  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (buffer[start] === INTEGER_BYTE) this.#ttl = parseStrictInteger(buffer, start + 1, end - 2);
    this.#pool.keeper.requests.give(request);
  }

  onFailure(request: Request): void {
    this.#pool.keeper.requests.give(request);
  }

  /** The read is answered. @returns where the reply is kept; NONE: it is not */
  onValue(buffer: Buffer, start: number, end: number): number {
    const ttl = this.#ttl;
    if (ttl === null || buffer[start] === ERROR_BYTE) return NONE;
    // A key without an expiry, and one that is not there, stay so until they change.
    const keyEndsAt = ttl === NO_EXPIRY || ttl === NO_KEY ? Number.POSITIVE_INFINITY : this.sentAt + ttl;
    return this.#pool.keeper.keep(this, keyEndsAt, buffer, start, end);
  }

  /** The read is on its way: nobody else begins the same one. */
  begin(): void {
    this.#pool.keeper.inFlight.beginFill(this.hash);
  }

  /** The read is over, and PTTL with it, which was asked in front of it. */
  end(): void {
    this.#pool.keeper.inFlight.endFill(this.hash);
    this.#pool.give(this);
  }

  reset(): void {
    this.#ttl = null;
    this.lane = null;
  }
}

/** Takes and gives back fills, so that a read that is kept costs no allocation. */
export class FillPool {
  readonly keeper: Keeper;
  readonly #spares: Fill[] = [];

  constructor(keeper: Keeper) {
    this.keeper = keeper;
  }

  take(): Fill {
    return this.#spares.pop() ?? new Fill(this);
  }

  give(fill: Fill): void {
    fill.reset();
    if (fill.rest.length <= MOST_SPARE_REST_BYTES && this.#spares.length < SPARE_FILLS) this.#spares.push(fill);
  }
}

/** A read of the proxy's own, for nobody but what is kept. */
export class OwnFill implements ReplySink {
  readonly #fill: Fill;
  readonly #keeper: Keeper;

  constructor(fill: Fill, keeper: Keeper) {
    this.#fill = fill;
    this.#keeper = keeper;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#fill.onValue(buffer, start, end);
    this.onFailure(request);
  }

  onFailure(request: Request): void {
    this.#fill.end();
    this.#keeper.requests.give(request);
  }
}
