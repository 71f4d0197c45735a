import { type KeyHash, NO_HASH } from '../../ring/rings.js';
import { NO_GROUP, NO_READ } from '../measure/marks.js';
import type { Companion } from './companion.js';
import type { HoldSlab } from './hold.js';
import type { MissTaker } from './miss-taker.js';
import type { ReplySink, ReplyStream } from './reply-sink.js';
import type { ReplySource, Requester } from './requester.js';
import type { Steps } from './steps.js';

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

/**
 * One command on its way: it stands in the queue of its client (in the order of the replies) and, when it
 * goes to one node, in that node's lane (in the order of the frames). Pooled: fields are reset by `reset`.
 */
export class Request {
  /** Whose command it is; null: the proxy's own, a part of a client's, or its client has left. */
  client: Requester | null = null;
  /** Next in the client's queue. */
  nextOfClient: Request | null = null;
  /** Next in the lane's queue. */
  nextOfLane: Request | null = null;
  /** Where its frame went, or null when the proxy answers it or it has parts. */
  lane: ReplySource | null = null;
  /** Of its keys, with `keyHash` for KNOWN_KEY. Whoever says nothing is waited for. */
  keys: KeysOfRequest = UNKNOWN_KEYS;
  /** Made and read by the snapshots' rings. */
  keyHash: KeyHash = NO_HASH;
  /** Who takes the reply; set by `answerTo` and `streamTo`. */
  sink: ReplySink;
  /** Who takes a large reply as it comes; null: it is gathered for `sink`. */
  stream: ReplyStream | null = null;
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
  /** What goes on while it takes several steps; null: it is sent at once. */
  steps: Steps | null = null;
  /** Who is told when it is over; null: nobody. */
  companion: Companion | null = null;
  /** Who may keep the reply back when it says that keys are not there; null: nobody. */
  misses: MissTaker | null = null;
  /** It runs code at its node (EVAL, FCALL, EXEC with such), which may take long. */
  runsCode = false;
  /** The client does not want the reply (CLIENT REPLY OFF or SKIP). */
  silent = false;
  /** A reply that waits: bytes `heldStart` to `heldEnd` of a slab. */
  held: HoldSlab | null = null;
  heldStart = 0;
  heldEnd = 0;
  /** A large reply that waits, as its chunks came. */
  chunks: Buffer[] | null = null;
  chunkBytes = 0;

  constructor(sink: ReplySink) {
    this.sink = sink;
  }

  /** `sink` takes the reply, which is gathered for it. */
  answerTo(sink: ReplySink): void {
    this.sink = sink;
    this.stream = null;
  }

  /** `stream` takes the reply, a large one as it comes. */
  streamTo(stream: ReplyStream): void {
    this.sink = stream;
    this.stream = stream;
  }

  reset(sink: ReplySink): void {
    this.client = null;
    this.nextOfClient = null;
    this.nextOfLane = null;
    this.lane = null;
    this.keys = UNKNOWN_KEYS;
    this.sink = sink;
    this.stream = null;
    this.part = 0;
    this.state = WAITING;
    this.cacheRead = NO_READ;
    this.keyGroups = null;
    this.misses = null;
    this.steps = null;
    this.runsCode = false;
    this.silent = false;
    this.held = null;
    this.chunks = null;
    this.chunkBytes = 0;
  }
}
