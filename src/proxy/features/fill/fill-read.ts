import type { ReplyStream } from '../../request/reply-sink.js';
import { KNOWN_KEY, type Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { ReplySource } from '../../request/requester.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Fill } from './fill.js';
import { readFrame } from './key-wait.js';

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

/** Reads the key where it is. @returns false: it cannot be */
export function readWhereItIs(router: Router, reader: FillReader, fill: Fill): boolean {
  const { snapshot, nodes, shared } = router;
  if (snapshot === null) return false;
  const { rings, moves } = snapshot;
  const { key, database } = fill;
  const hash = rings.hashOf(key, 0, key.length);
  const owner = rings.ownerOf(hash);
  const next = rings.isChanging && moves !== null ? rings.nextOwnerOf(hash) : owner;
  // As reads of clients do: a moved key is not written where it was any more.
  const hasMoved = next !== owner && moves?.isSettled(owner, database, key, 0, key.length) === true;
  const node = nodes[hasMoved ? next : owner];
  const otherwise = next === owner || hasMoved ? null : (nodes[next] ?? null);
  return node !== undefined && askNode(router, new FillRead(reader, shared.requests, fill, null, otherwise), node);
}

/** Has the node asked by one of its shared lanes. @returns false: it cannot be */
export function askNode(router: Router, read: FillRead, node: UpstreamNode): boolean {
  const { fill } = read;
  const { snapshot, shared } = router;
  const [first] = fill.waits;
  const lane = node.pick({ protocol: first?.client.kind.protocol ?? 2, database: fill.database });
  if (lane === null || snapshot === null) return false;
  const request = shared.requests.take();
  request.streamTo(read);
  request.keys = KNOWN_KEY;
  request.keyHash = snapshot.rings.hashOf(fill.key, 0, fill.key.length);
  request.startedAt = shared.clock.now;
  read.node = node;
  fill.reads++;
  const frame = readFrame(fill.key);
  lane.send(request, frame, 0, frame.length);
  return true;
}
