import { NO_READ } from '../measure/cache-reads.js';
import { NO_GROUP } from '../measure/key-groups.js';
import type { SourceRead } from '../route/moving/source-read.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { Lane } from '../upstream/lane.js';
import type { CodeCall } from './code-call.js';
import type { HoldSlab } from './hold.js';

/** The reply has not begun. */
export const WAITING = 0;
/** Part of a large reply is here or was passed on already; the rest is still to come. */
export const PARTIAL = 1;
/** The whole reply is here and waits for the replies in front of it. */
export const DONE = 2;

/** Its keys are not told apart: a fence waits for it in any case. */
export const UNKNOWN_KEYS = 0;
/** It has one key, or several of one hash: `keyHash` tells whether they change hands. */
export const KNOWN_KEY = 1;
/** It has no keys, so no change of the ring concerns it. */
export const NO_KEYS_AT_ALL = 2;

/** What is known of a request's keys, for the fence. */
export type KeysOfRequest = typeof UNKNOWN_KEYS | typeof KNOWN_KEY | typeof NO_KEYS_AT_ALL;

/** What becomes of a node's reply that is not simply passed on to the client. Called once for each request. */
export interface ReplySink {
  /** The whole reply is `buffer[start, end)`; it must be copied if it is needed later. */
  onReply(request: Request, buffer: Buffer, start: number, end: number): void;
  /** No reply comes; `reply` is the error reply that tells why. */
  onFailure(request: Request, reply: Buffer): void;
}

/**
 * One command on its way: it stands in the queue of its client (in the order of the replies) and, when it
 * goes to one node, in that node's lane (in the order of the frames). Pooled: fields are reset by `reset`.
 */
export class Request {
  client: ClientConnection | null = null;
  /** Next in the client's queue. */
  nextOfClient: Request | null = null;
  /** Next in the lane's queue. */
  nextOfLane: Request | null = null;
  /** Where its frame went, or null when the proxy answers it or it has parts. */
  lane: Lane | null = null;
  /** Of its keys, with `keyHash` for KNOWN_KEY. Whoever says nothing is waited for. */
  keys: KeysOfRequest = UNKNOWN_KEYS;
  /** The key's hash on the ring, as a signed number (`hash | 0`), which the engine keeps without allocating. */
  keyHash = 0;
  /** Who takes the reply instead of the client, or null. */
  sink: ReplySink | null = null;
  /** For a part of a split command: which part. */
  part = 0;
  /** The command's id in the flat counters. */
  command = 0;
  /** `Clock.now` when the frame was complete. */
  startedAt = 0;
  state = WAITING;
  /** What its reply says about hits and misses of the cache: NO_READ, KEY_READ or ARRAY_READ. */
  cacheRead = NO_READ;
  /** The group of its first key; kept up to date only where groups are configured. */
  group = NO_GROUP;
  /** The group of each key of an ARRAY_READ, where groups are configured. */
  keyGroups: Uint8Array | null = null;
  /** Asked of the node that its key may have left already; otherwise null. */
  sourceRead: SourceRead | null = null;
  /** Runs code at the node; otherwise null. */
  code: CodeCall | null = null;
  /** The client does not want the reply (CLIENT REPLY OFF or SKIP). */
  silent = false;
  /** A reply that waits: bytes `heldStart` to `heldEnd` of a slab. */
  held: HoldSlab | null = null;
  heldStart = 0;
  heldEnd = 0;
  /** A large reply that waits, as its chunks came. */
  chunks: Buffer[] | null = null;
  chunkBytes = 0;

  reset(): void {
    this.client = null;
    this.nextOfClient = null;
    this.nextOfLane = null;
    this.lane = null;
    this.keys = UNKNOWN_KEYS;
    this.sink = null;
    this.part = 0;
    this.state = WAITING;
    this.cacheRead = NO_READ;
    this.keyGroups = null;
    this.sourceRead = null;
    this.code = null;
    this.silent = false;
    this.held = null;
    this.chunks = null;
    this.chunkBytes = 0;
  }
}

/** Spare requests beyond this many are left to the collector. */
const SPARE_LIMIT = 16_384;

/** Takes and gives back requests, so that a command costs no allocation. */
export class RequestPool {
  readonly #spares: Request[] = [];

  take(): Request {
    return this.#spares.pop() ?? new Request();
  }

  give(request: Request): void {
    request.reset();
    if (this.#spares.length < SPARE_LIMIT) this.#spares.push(request);
  }
}
