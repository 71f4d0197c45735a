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
import { parseStrictInteger } from '../../../resp/integer.js';
import { ClientStream } from '../../request/client-stream.js';
import type { Companion } from '../../request/companion.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { Requester } from '../../request/requester.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Keeper } from './keeper.js';
import { NONE } from './store/record.js';

const ERROR_BYTE = 0x2d;
const INTEGER_BYTE = 0x3a;
const NO_EXPIRY = -1;
/** The key is not there. */
const NO_KEY = -2;

/** What is read, as it was when it was sent. */
export interface FillRead {
  readonly hash: number;
  readonly kind: number;
  readonly keyHash: number;
  /** Of the key, as the ring has it. */
  readonly ringHash: number;
  readonly group: number;
  /** What the frame has behind the command's name. */
  readonly rest: Buffer;
  readonly node: UpstreamNode;
  readonly slot: number;
  readonly epoch: number;
  readonly version: number;
  readonly generation: number;
  readonly sentAt: number;
  /** Most milliseconds that it is kept. */
  readonly most: number;
  /** Replies that say that the key is not there are not kept; null: they are. */
  readonly leavesOut: MissingReply | null;
}

/** What both replies say. */
export class Fill implements ReplySink {
  readonly read: FillRead;
  readonly #keeper: Keeper;
  readonly #requests: RequestPool;
  #ttl: number | null = null;
  /** Where the reply is kept; NONE: it is not. */
  record: number = NONE;

  constructor(read: FillRead, keeper: Keeper, requests: RequestPool) {
    this.read = read;
    this.#keeper = keeper;
    this.#requests = requests;
  }

  /** PTTL is answered. */
  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (buffer[start] === INTEGER_BYTE) this.#ttl = parseStrictInteger(buffer, start + 1, end - 2);
    this.#requests.give(request);
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
  }

  /** The read is answered. */
  onValue(buffer: Buffer, start: number, end: number): void {
    const ttl = this.#ttl;
    if (ttl === null || buffer[start] === ERROR_BYTE) return;
    // A key without an expiry, and one that is not there, stay so until they change.
    const keyEndsAt = ttl === NO_EXPIRY || ttl === NO_KEY ? Number.POSITIVE_INFINITY : this.read.sentAt + ttl;
    this.record = this.#keeper.keep(this.read, keyEndsAt, buffer, start, end);
  }
}

/** A client's read that is kept. */
export class ClientFill extends ClientStream implements Companion {
  readonly #fill: Fill;
  readonly #keeper: Keeper;

  constructor(client: Requester, fill: Fill, keeper: Keeper) {
    super(client);
    this.#fill = fill;
    this.#keeper = keeper;
  }

  onSent(request: Request): void {
    request.streamTo(this);
    this.#keeper.inFlight.beginRead(this.#fill.read.keyHash);
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#fill.onValue(buffer, start, end);
    this.pass(request, buffer, start, end);
  }

  onDone(): void {
    const { read, record } = this.#fill;
    this.#keeper.inFlight.endRead(read.keyHash);
    this.#keeper.onRead(read.keyHash, record);
  }
}

/** A read of the proxy's own, for nobody but what is kept. */
export class OwnFill implements ReplySink {
  readonly #fill: Fill;
  readonly #requests: RequestPool;

  constructor(fill: Fill, requests: RequestPool) {
    this.#fill = fill;
    this.#requests = requests;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#fill.onValue(buffer, start, end);
    this.#requests.give(request);
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
  }
}
