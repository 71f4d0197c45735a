/**
 * A client's requests in the order of their replies: what comes before its turn is held, what is at the head leaves.
 *
 *   head ─▶ … ─▶ tail      enqueue: behind the tail
 *    │                     take: the head's reply goes to the outlet, and with it those behind it that are here
 *    ▼                     takePiece: a large reply, piece by piece; messages wait until it is whole
 *   outlet
 */
import type { Outlet } from '../io/outlet.js';
import { DONE, PARTIAL, type Request, WAITING } from '../request/request.js';
import type { ReplySource, Requester } from '../request/requester.js';
import { TRACKS } from './modes.js';
import { PausedLanes, STREAM_HIGH_WATER } from './paused-lanes.js';
import type { ClientShared } from './session-shared.js';

/** A large reply that waits for its turn is read up to here. */
const HOLD_HIGH_WATER = 1_048_576;

/** What of all clients' a queue needs. */
type QueueShared = Pick<ClientShared, 'requests' | 'holds'> & {
  readonly counters: Pick<ClientShared['counters'], 'bytesOut'>;
  readonly options: Pick<ClientShared['options'], 'clientOutputLimit'>;
};

/** Whose replies they are. */
export interface ReplyTaker extends Requester {
  /** Whether it is in one of these modes. @param modes as one number */
  isIn(modes: number): boolean;
  /** A reply has left, and the client tracks keys. */
  onAnswered(): void;
  /** Takes a message that answers no command. */
  push(message: Buffer): void;
}

export class ReplyQueue {
  /** Requests whose replies have not left yet. */
  pending = 0;
  /** Requests that there ever were; those without `pending` were answered. */
  enqueued = 0;
  head: Request | null = null;
  tail: Request | null = null;
  readonly #client: ReplyTaker;
  readonly #shared: QueueShared;
  readonly #outlet: Outlet;
  readonly #pausedLanes: PausedLanes;
  /** Messages that came in the middle of a large reply. */
  #messages: Buffer[] = [];
  #messageBytes = 0;
  /** Of large replies that wait for their turn. */
  #earlyBytes = 0;

  constructor(client: ReplyTaker, shared: QueueShared, outlet: Outlet) {
    this.#client = client;
    this.#shared = shared;
    this.#outlet = outlet;
    this.#pausedLanes = new PausedLanes(client, outlet);
  }

  enqueue(request: Request): void {
    request.nextOfClient = null;
    if (this.tail === null) this.head = request;
    else this.tail.nextOfClient = request;
    this.tail = request;
    this.pending++;
    this.enqueued++;
  }

  /** Whether a reply is still to come from this lane. */
  hasPendingOn(lane: ReplySource): boolean {
    for (let request = this.head; request !== null; request = request.nextOfClient) {
      if (request.lane === lane) return true;
    }
    return false;
  }

  /** Sends what answers no request in the queue; nothing is in the queue. @param reply belongs to the queue from now on */
  send(reply: Buffer): void {
    this.#outlet.appendOwned(reply);
    this.#shared.counters.bytesOut += reply.length;
  }

  /** Sends a copy of `source[start, end)`, which answers no request in the queue; nothing is in the queue. */
  sendCopy(source: Buffer, start: number, end: number): void {
    this.#outlet.append(source, start, end);
    this.#shared.counters.bytesOut += end - start;
  }

  /** A request's whole reply is `buffer[start, end)`. @returns whether it has left; otherwise it is held */
  take(request: Request, buffer: Buffer, start: number, end: number): boolean {
    if (request !== this.head) {
      request.state = DONE;
      if (!request.silent) this.#shared.holds.hold(request, buffer, start, end);
      return false;
    }
    if (!request.silent) {
      this.#outlet.append(buffer, start, end);
      this.#shared.counters.bytesOut += end - start;
    }
    this.#popHead(request);
    if (this.head !== null && this.head.state !== WAITING) this.#sendHeld();
    return true;
  }

  /** A request's whole reply is these `bytes`, which belong to the queue from now on. @returns as `take` */
  takePieces(request: Request, pieces: Buffer[], bytes: number): boolean {
    request.state = DONE;
    if (!request.silent) {
      request.chunks = pieces;
      request.chunkBytes = bytes;
      this.#earlyBytes += bytes;
    }
    if (request !== this.head) return false;
    this.#sendHeld();
    return true;
  }

  /**
   * A piece of a large reply; `last`: it ends here.
   * @param lane stops reading when this client does not take what comes; null: it must not
   * @returns false when `buffer` was given away to the write and must not be reused
   */
  takePiece(
    request: Request,
    lane: ReplySource | null,
    buffer: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): boolean {
    if (request !== this.head || request.silent) {
      if (!request.silent) this.#holdPiece(request, lane, buffer, start, end, last);
      request.state = last ? DONE : PARTIAL;
      if (last && request === this.head) this.#sendHeld();
      return true;
    }
    const reusable = this.#outlet.pass(buffer, start, end);
    this.#shared.counters.bytesOut += end - start;
    if (last) {
      this.#popHead(request);
      if (this.#messages.length > 0) this.#sendMessages();
      if (this.head !== null && this.head.state !== WAITING) this.#sendHeld();
      return reusable;
    }
    request.state = PARTIAL;
    if (lane === null) return reusable;
    if (lane.absorbs) this.#checkAbsorbed();
    else if (this.#outlet.pending > STREAM_HIGH_WATER) this.#pausedLanes.pause(lane);
    return reusable;
  }

  /** The node went away in the middle of a large reply. @returns false when half of the reply has left already */
  cut(request: Request): boolean {
    if (request === this.head && request.state === PARTIAL && !request.silent) return false;
    this.#earlyBytes -= request.chunkBytes;
    request.chunks = null;
    request.chunkBytes = 0;
    request.state = WAITING;
    return true;
  }

  /**
   * Sends a message that answers no command, as soon as no reply is in the middle.
   * @param message belongs to everybody, so nobody writes to it
   */
  push(message: Buffer): void {
    if (this.head !== null && this.head.state === PARTIAL && !this.head.silent) {
      this.#messages.push(message);
      this.#messageBytes += message.length;
    } else this.send(message);
  }

  /** Bytes that wait for the client to take them. */
  get unsentBytes(): number {
    return this.#outlet.pending + this.#messageBytes;
  }

  /** The lane must be read on although the client cannot take more. */
  releaseLane(lane: ReplySource): void {
    this.#pausedLanes.resume(lane);
  }

  onDrained(): void {
    if (this.#pausedLanes.size > 0) this.#pausedLanes.resumeNext();
  }

  /** The client is gone. Requests that are in a lane stay there until their replies come, which then are nobody's. */
  abandon(): void {
    let request = this.head;
    this.head = null;
    this.tail = null;
    while (request !== null) {
      const next: Request | null = request.nextOfClient;
      const inLane = request.lane !== null && request.state !== DONE;
      this.#shared.holds.release(request);
      request.client = null;
      // Others who take replies see for themselves that the client has left.
      if (request.stream !== null) request.streamTo(this.#shared.requests.nobody);
      request.chunks = null;
      if (!inLane && request.state === DONE) this.#shared.requests.give(request);
      request = next;
    }
    this.pending = 0;
    this.#earlyBytes = 0;
    this.#pausedLanes.resumeAll();
  }

  #popHead(request: Request): void {
    this.head = request.nextOfClient;
    if (this.head === null) this.tail = null;
    this.pending--;
    this.#shared.requests.give(request);
    if (this.#client.isIn(TRACKS)) this.#client.onAnswered();
    // At last, since it may write. Of half a pipeline's replies those of the other nodes are on their way.
    this.#outlet.expectMore(this.head !== null);
  }

  /** Sends the replies that waited for the one that just left. */
  #sendHeld(): void {
    let request = this.head;
    while (request !== null && request.state !== WAITING) {
      const held = request.held;
      if (held !== null) {
        this.#outlet.append(held.buffer, request.heldStart, request.heldEnd);
        this.#shared.counters.bytesOut += request.heldEnd - request.heldStart;
        this.#shared.holds.release(request);
      }
      const chunks = request.chunks;
      if (chunks !== null) {
        for (const chunk of chunks) this.#outlet.appendOwned(chunk);
        this.#shared.counters.bytesOut += request.chunkBytes;
        this.#earlyBytes -= request.chunkBytes;
        request.chunks = null;
        request.chunkBytes = 0;
      }
      if (request.state === PARTIAL) break;
      this.#popHead(request);
      request = this.head;
    }
    if (this.#pausedLanes.size > 0) this.#pausedLanes.resumeNext();
  }

  #sendMessages(): void {
    const messages = this.#messages;
    this.#messages = [];
    this.#messageBytes = 0;
    for (const message of messages) this.#client.push(message);
  }

  #holdPiece(
    request: Request,
    lane: ReplySource | null,
    buffer: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): void {
    request.chunks ??= [];
    request.chunks.push(Buffer.from(buffer.subarray(start, end)));
    request.chunkBytes += end - start;
    this.#earlyBytes += end - start;
    if (lane === null || last) return;
    if (lane.absorbs) this.#checkAbsorbed();
    else if (request.chunkBytes > HOLD_HIGH_WATER) this.#pausedLanes.pause(lane);
  }

  /** What comes by a lane that must not stop for this client. */
  #checkAbsorbed(): void {
    if (this.#outlet.pending + this.#earlyBytes <= this.#shared.options.clientOutputLimit) return;
    this.#client.close('did not read a large reply while others waited');
  }
}
