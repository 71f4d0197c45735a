import { MOST_COMMAND_ID } from '../../commands/build.js';
import { type KeyHash, NO_HASH } from '../../ring/rings.js';
import { NO_GROUP, type ReadMark } from '../measure/marks.js';
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

export type RequestState = typeof WAITING | typeof PARTIAL | typeof DONE;

/** Its keys are not told apart: a fence waits for it in any case. */
export const UNKNOWN_KEYS = 0;
/** It has one key, or several of one hash: `keyHash` tells whether they change hands. */
export const KNOWN_KEY = 1;
/** It has no keys, so no change of the ring concerns it. */
export const NO_KEYS_AT_ALL = 2;

/** What is known of a request's keys, for the fence. */
export type KeysOfRequest = typeof UNKNOWN_KEYS | typeof KNOWN_KEY | typeof NO_KEYS_AT_ALL;

/** How the small fields of a request lie in `#marks`: each begins at a bit, and is cut out by a mask. */
const STATE = 0b11;
const KEYS_AT = 2;
const READ_AT = 4;
const TWO_BITS = 0b11;
const STREAMS = 1 << 6;
const RUNS_CODE = 1 << 7;
const SILENT = 1 << 8;
const GROUP_AT = 9;
/** Up to 32 groups, and none. */
const GROUP = 0x3f;
const COMMAND_AT = 15;
const COMMAND = MOST_COMMAND_ID;

/** What few requests have: apart from the fields of the others. */
class Extras {
  keyGroups: Uint8Array | null = null;
  steps: Steps | null = null;
  companion: Companion | null = null;
  misses: MissTaker | null = null;
  chunks: Buffer[] | null = null;
  chunkBytes = 0;
}

/**
 * One command on its way: it stands in the queue of its client (in the order of the replies) and, when it
 * goes to one node, in that node's lane (in the order of the frames). Pooled: fields are reset by `reset`.
 *
 * It is small on purpose. Deep pipelines of many clients have thousands of them in flight, each of which is touched when
 * its frame comes, when its reply does, and never in between: what is not in the processor's cache then costs as much as
 * all that is done with it. So small numbers share a field, the time is no number with a fraction, which V8 keeps in
 * memory of its own, and what few requests have is apart.
 */
export class Request {
  /** Next in the lane's queue. */
  nextOfLane: Request | null = null;
  #sink: ReplySink;
  #marks = 0;
  /** `startedAt`, in whole seconds and microseconds. */
  #second = 0;
  #micros = 0;
  /** Next in the client's queue. */
  nextOfClient: Request | null = null;
  /** Whose command it is; null: the proxy's own, a part of a client's, or its client has left. */
  client: Requester | null = null;
  /** Where its frame went, or null when the proxy answers it or it has parts. */
  lane: ReplySource | null = null;
  /** A reply that waits: bytes `heldStart` to `heldEnd` of a slab. */
  held: HoldSlab | null = null;
  heldStart = 0;
  heldEnd = 0;
  /** Made and read by the snapshots' rings. */
  keyHash: KeyHash = NO_HASH;
  /** For a part of a split command: which part. */
  part = 0;
  #extras: Extras | null = null;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  /** Who takes the reply; set by `answerTo` and `streamTo`. */
  get sink(): ReplySink {
    return this.#sink;
  }

  /** Who takes a large reply as it comes; null: it is gathered for `sink`. */
  get stream(): ReplyStream | null {
    return (this.#marks & STREAMS) === 0 ? null : (this.#sink as ReplyStream);
  }

  get state(): RequestState {
    return (this.#marks & STATE) as RequestState;
  }

  set state(state: RequestState) {
    this.#marks = (this.#marks & ~STATE) | state;
  }

  /** Of its keys, with `keyHash` for KNOWN_KEY. Whoever says nothing is waited for. */
  get keys(): KeysOfRequest {
    return ((this.#marks >> KEYS_AT) & TWO_BITS) as KeysOfRequest;
  }

  set keys(keys: KeysOfRequest) {
    this.#marks = (this.#marks & ~(TWO_BITS << KEYS_AT)) | (keys << KEYS_AT);
  }

  /** What its reply says about hits and misses of the cache. */
  get cacheRead(): ReadMark {
    return ((this.#marks >> READ_AT) & TWO_BITS) as ReadMark;
  }

  set cacheRead(read: ReadMark) {
    this.#marks = (this.#marks & ~(TWO_BITS << READ_AT)) | (read << READ_AT);
  }

  /** It runs code at its node (EVAL, FCALL, EXEC with such), which may take long. */
  get runsCode(): boolean {
    return (this.#marks & RUNS_CODE) !== 0;
  }

  set runsCode(runs: boolean) {
    this.#mark(RUNS_CODE, runs);
  }

  /** The client does not want the reply (CLIENT REPLY OFF or SKIP). */
  get silent(): boolean {
    return (this.#marks & SILENT) !== 0;
  }

  set silent(silent: boolean) {
    this.#mark(SILENT, silent);
  }

  /** The group of its first key, or NO_GROUP; kept up to date only where groups are configured. */
  get group(): number {
    return ((this.#marks >> GROUP_AT) & GROUP) + NO_GROUP;
  }

  set group(group: number) {
    this.#marks = (this.#marks & ~(GROUP << GROUP_AT)) | ((group - NO_GROUP) << GROUP_AT);
  }

  /** The command's id in the flat counters. */
  get command(): number {
    return (this.#marks >> COMMAND_AT) & COMMAND;
  }

  set command(command: number) {
    this.#marks = (this.#marks & ~(COMMAND << COMMAND_AT)) | (command << COMMAND_AT);
  }

  /** `Clock.now` when the frame was complete, to the microsecond. */
  get startedAt(): number {
    return this.#second * 1000 + this.#micros / 1000;
  }

  set startedAt(at: number) {
    const second = (at / 1000) | 0;
    this.#second = second;
    this.#micros = ((at - second * 1000) * 1000 + 0.5) | 0;
  }

  /** The group of each key of an ARRAY_READ, where groups are configured. */
  get keyGroups(): Uint8Array | null {
    return this.#extras === null ? null : this.#extras.keyGroups;
  }

  set keyGroups(groups: Uint8Array | null) {
    if (groups !== null || this.#extras !== null) this.#own().keyGroups = groups;
  }

  /** What goes on while it takes several steps; null: it is sent at once. */
  get steps(): Steps | null {
    return this.#extras === null ? null : this.#extras.steps;
  }

  set steps(steps: Steps | null) {
    if (steps !== null || this.#extras !== null) this.#own().steps = steps;
  }

  /** Who is told when it is over; null: nobody. */
  get companion(): Companion | null {
    return this.#extras === null ? null : this.#extras.companion;
  }

  set companion(companion: Companion | null) {
    if (companion !== null || this.#extras !== null) this.#own().companion = companion;
  }

  /** Who may keep the reply back when it says that keys are not there; null: nobody. */
  get misses(): MissTaker | null {
    return this.#extras === null ? null : this.#extras.misses;
  }

  set misses(taker: MissTaker | null) {
    if (taker !== null || this.#extras !== null) this.#own().misses = taker;
  }

  /** A large reply that waits, as its chunks came. */
  get chunks(): Buffer[] | null {
    return this.#extras === null ? null : this.#extras.chunks;
  }

  set chunks(chunks: Buffer[] | null) {
    if (chunks !== null || this.#extras !== null) this.#own().chunks = chunks;
  }

  /** Of them all. */
  get chunkBytes(): number {
    return this.#extras === null ? 0 : this.#extras.chunkBytes;
  }

  set chunkBytes(bytes: number) {
    if (bytes > 0 || this.#extras !== null) this.#own().chunkBytes = bytes;
  }

  /** `sink` takes the reply, which is gathered for it. */
  answerTo(sink: ReplySink): void {
    this.#sink = sink;
    this.#marks &= ~STREAMS;
  }

  /** `stream` takes the reply, a large one as it comes. */
  streamTo(stream: ReplyStream): void {
    this.#sink = stream;
    this.#marks |= STREAMS;
  }

  /** It is as a new one. */
  reset(sink: ReplySink): void {
    this.nextOfLane = null;
    this.#sink = sink;
    this.#marks = 0;
    this.nextOfClient = null;
    this.client = null;
    this.lane = null;
    this.held = null;
    this.part = 0;
    this.#extras = null;
  }

  #mark(bit: number, is: boolean): void {
    this.#marks = is ? this.#marks | bit : this.#marks & ~bit;
  }

  #own(): Extras {
    this.#extras ??= new Extras();
    return this.#extras;
  }
}
