import type { Tolerance } from '../../../commands/command.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import { NO_GROUP } from '../../measure/key-groups.js';
import type { ReplyStream } from '../../request/reply-sink.js';
import { DONE, type KeysOfRequest, type Request, UNKNOWN_KEYS } from '../../request/request.js';
import type { ReplySource, Requester } from '../../request/requester.js';
import type { ClientShared } from '../../session/session-shared.js';
import type { Lane } from '../../upstream/lane.js';
import { SILENT_MS } from '../../upstream/silence.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { gatherInBlocks } from './blocks.js';
import type { Placement } from './placement.js';
import { Scratch } from './scratch.js';

const CR = 0x0d;
const ERROR_BYTE = 0x2d;

/** Writes the merged reply of a group, all of whose parts were answered without an error. */
export type Merger = (group: Group, out: Scratch) => void;

/** Of several errors another one says more. */
const NOT_BUSY = Buffer.from('-NOTBUSY');

/** A part that the merged reply does without. */
export interface MissingPart {
  readonly node: UpstreamNode;
  /** What the node has said, or what is said of it. */
  readonly why: string;
}

/** One merged reply is built at a time, so all groups build it in the same memory. */
const scratch = new Scratch();

/**
 * A command that runs on several nodes: a part for each, and the one reply that is made of theirs. The
 * client's request stands in its queue and waits for the group; the parts stand in the lanes. Where the rest is as
 * good, the client is answered without a node that is silent; its reply is dropped when it comes.
 */
export class Group implements ReplyStream {
  readonly gathers = true;
  readonly request: Request;
  /** Of the parts; what this process has carried out itself is the last one, and has none. */
  readonly nodes: UpstreamNode[] = [];
  /** In the order in which the parts were added; a held reply is in `held`, a large one in `chunks` (`takesPieces`). */
  readonly parts: Request[] = [];
  /** For a split command: the part of each key, in the order of the keys. */
  keyParts: Uint16Array;
  readonly protocol: 2 | 3;
  /** The group of each key, where groups of keys are configured. */
  keyGroups: Uint8Array | null = null;
  readonly #shared: ClientShared;
  readonly #merger: Merger;
  /** Called when every part was answered, or null. */
  onFinished: (() => void) | null = null;
  tolerance: Tolerance = 'nothing';
  /** The merger takes large replies of parts as they came; to be set before parts are added. */
  takesPieces = false;
  /** The errors of the parts that have failed, where the rest is as good. */
  #failures: Map<number, Buffer> | null = null;
  /** Of those that have not answered by now nobody waits for the last one. */
  #overdue = false;
  #finished = false;
  #deadline: NodeJS.Timeout | null = null;
  /** Of commands that tell keys of all nodes: which of them clients see; otherwise null. */
  placement: Placement | null = null;
  /** What is known of the keys of each part; to be set before parts are added. */
  keys: KeysOfRequest = UNKNOWN_KEYS;
  #remaining = 0;
  #succeeded = 0;
  #failedPart = -1;
  #failure: Buffer | null = null;
  #failureNamesNode = false;
  /** How many parts have failed in the way of `#failure`. */
  #alike = 0;
  /** What is answered when no node answers, where that is tolerated. */
  #downReply: Buffer | null = null;

  constructor(request: Request, protocol: 2 | 3, merger: Merger, shared: ClientShared, keyParts: Uint16Array) {
    this.request = request;
    this.protocol = protocol;
    this.keyParts = keyParts;
    this.#merger = merger;
    this.#shared = shared;
  }

  /** Sends the frame that `framer` holds, as it came, by `lane`: another part. */
  sendPart(lane: Lane, { source, frameStart, frameEnd }: RequestFramer): void {
    lane.outlet.append(source, frameStart, frameEnd);
    lane.node.counters.bytesOut += frameEnd - frameStart;
    this.addPart(lane.node, lane);
  }

  /** Adds the part that was just appended to `lane`'s outlet. */
  addPart(node: UpstreamNode, lane: Lane): void {
    const part = this.#newPart(node);
    part.lane = lane;
    lane.enqueue(part);
  }

  /** Adds a part whose node is down, or is not asked because of `reply`. `seal` must follow when all parts are added. */
  addFailedPart(node: UpstreamNode, reply: Buffer = node.downReply): void {
    const part = this.#newPart(node);
    part.state = DONE;
    this.#remaining--;
    this.#fail(part.part, reply, true);
  }

  /** Adds a part that this process has carried out itself, behind those of the nodes. @param reply its whole reply */
  addLocalPart(reply: Buffer): void {
    const part = this.#newPart(null);
    this.#remaining--;
    part.state = DONE;
    if (reply[0] === ERROR_BYTE) this.#fail(part.part, reply, false);
    else {
      this.#succeeded++;
      this.#shared.holds.hold(part, reply, 0, reply.length);
    }
  }

  get requester(): Requester | null {
    return this.request.client;
  }

  /** All parts are added: answers at once when none of them is on its way. */
  seal(): void {
    if (this.#remaining === 0) this.#finish();
    else if (this.tolerance === 'rest' && this.parts.length > 1) {
      // Where the proxy itself stood still, replies that lie there are read first.
      this.#deadline = setTimeout(() => setImmediate(() => this.#onDeadline()), SILENT_MS);
    }
  }

  /** What the merged reply does without, for a merger. */
  get missing(): MissingPart[] {
    return this.parts.flatMap((part, i) => {
      const node = this.nodes[i];
      if (part.held !== null || node === undefined) return [];
      return [{ node, why: node.withoutName(this.#failures?.get(i) ?? node.silentReply) }];
    });
  }

  onReply(part: Request, buffer: Buffer, start: number, end: number): void {
    if (this.#isLate(part)) return;
    if (buffer[start] === ERROR_BYTE) this.#fail(part.part, Buffer.from(buffer.subarray(start, end)), false);
    else {
      this.#succeeded++;
      this.#shared.holds.hold(part, buffer, start, end);
    }
    this.#onAnswered();
  }

  /** Small replies come whole. */
  isNext(): boolean {
    return false;
  }

  onReplyPiece(
    part: Request,
    _source: ReplySource | null,
    buffer: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): boolean {
    part.chunks ??= [];
    part.chunkBytes += end - start;
    gatherInBlocks(part.chunks, buffer, start, end);
    if (last && !this.#isLate(part)) {
      this.#succeeded++;
      this.#onAnswered();
    }
    return true;
  }

  onReplyCut(part: Request, reply: Buffer): void {
    part.chunks = null;
    part.chunkBytes = 0;
    this.onFailure(part, reply);
  }

  onFailure(part: Request, reply: Buffer): void {
    if (this.#isLate(part)) return;
    this.#fail(part.part, reply, true);
    this.#onAnswered();
  }

  #onAnswered(): void {
    if (--this.#remaining === 0 || (this.#overdue && this.#succeeded > 0)) this.#finish();
  }

  #onDeadline(): void {
    this.#overdue = true;
    if (!this.#finished && this.#succeeded > 0) this.#finish();
  }

  /** Takes the answer of a part: of one that comes when the client has been answered nothing is left but the part. */
  #isLate(part: Request): boolean {
    part.state = DONE;
    if (this.#finished) this.#shared.requests.give(part);
    return this.#finished;
  }

  /** A merger tells that the key with this index was there (`hit`), or was not. */
  countRead(key: number, hit: boolean): void {
    this.#shared.counters.read(this.keyGroups?.[key] ?? NO_GROUP, hit);
  }

  /** @param node null: this process has carried it out */
  #newPart(node: UpstreamNode | null): Request {
    const part = this.#shared.requests.take();
    if (this.takesPieces) part.streamTo(this);
    else part.answerTo(this);
    part.part = this.parts.length;
    part.command = this.request.command;
    part.keys = this.keys;
    part.startedAt = this.#shared.clock.now;
    this.parts.push(part);
    if (node !== null) this.nodes.push(node);
    this.#remaining++;
    return part;
  }

  /** Of several errors the first part's counts, so that the answer does not depend on who was faster. */
  #fail(part: number, reply: Buffer, namesNode: boolean): void {
    if (this.tolerance === 'rest') {
      this.#failures ??= new Map();
      this.#failures.set(part, reply);
    }
    if (namesNode && this.tolerance !== 'nothing') {
      this.#downReply ??= reply;
      return;
    }
    if (this.#failure?.equals(reply) === true) this.#alike++;
    else this.#alike = 1;
    const saysMore = this.#failure !== null && startsWith(this.#failure, NOT_BUSY) && !startsWith(reply, NOT_BUSY);
    if (this.#failure !== null && this.#failedPart < part && !saysMore) return;
    if (this.#failure !== null && this.#failedPart > part && startsWith(reply, NOT_BUSY)) return;
    this.#failedPart = part;
    this.#failure = reply;
    this.#failureNamesNode = namesNode;
  }

  #finish(): void {
    this.#finished = true;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    const client = this.request.client;
    if (client === null) {
      this.#shared.requests.give(this.request);
    } else {
      scratch.clear();
      const failure = this.#effectiveFailure();
      if (failure !== null) this.#writeFailure(failure);
      else this.#merger(this, scratch);
      const pieces = scratch.takePieces();
      if (pieces === null) client.onReply(this.request, scratch.buffer, 0, scratch.length);
      else client.onReplyPieces(this.request, pieces);
    }
    for (const part of this.parts) {
      this.#shared.holds.release(part);
      // One that is still in its lane is given back when its answer comes.
      if (part.state === DONE) this.#shared.requests.give(part);
    }
    this.onFinished?.();
  }

  #effectiveFailure(): Buffer | null {
    if (this.tolerance === 'nothing') return this.#failure;
    if (this.#succeeded > 0) return this.tolerance === 'down' ? this.#failure : null;
    if (this.#failure === null) this.#failureNamesNode = true;
    return this.#failure ?? this.#downReply;
  }

  /** A node's own error gets the node's name behind it, unless all say the same: the client cannot know which it was. */
  #writeFailure(reply: Buffer): void {
    const lineEnd = reply.indexOf(CR);
    scratch.append(reply, 0, lineEnd);
    const node = this.nodes[this.#failedPart];
    const isOfAll = this.#alike === this.nodes.length;
    if (!this.#failureNamesNode && !isOfAll && node !== undefined) scratch.text(` (node ${node.name})`);
    scratch.text('\r\n');
  }
}

function startsWith(reply: Buffer, word: Buffer): boolean {
  return reply.compare(word, 0, word.length, 0, word.length) === 0;
}
