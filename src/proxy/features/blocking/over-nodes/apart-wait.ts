/**
 * A command that waits for the first of several keys which are on several nodes. It holds no connection: it stands in the
 * queue of each of its keys, and tries at one of them at a time, when that may have something.
 *
 *   CHECKED ──▶ LOOKING: each key once, in their order ──▶ WAITING for a mark of any of them ──▶ OVER
 *                  └──────── found ───────────────────────────────┴──── found, its time, CLIENT UNBLOCK ──▶
 *
 * The look at a key need not be its own: who stands in front of it in the queue looks for all behind. An element that was
 * taken is the client's, whatever has happened meanwhile, unless that has left: then it goes back to where it was.
 */
import type { Command } from '../../../../commands/command.js';
import { MINUS } from '../../../../resp/bytes.js';
import { request as encodeRequest } from '../../../../resp/encode.js';
import type { KeyHash } from '../../../../ring/rings.js';
import type { UnblockMode } from '../../../peers/peers.js';
import { KNOWN_KEY, NO_KEYS_AT_ALL, type Request, UNKNOWN_KEYS } from '../../../request/request.js';
import type { Router } from '../../../route/router.js';
import { GAVE_UP_REPLY } from '../../../route/waiting.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { Waiting } from '../../../session/waiting.js';
import type { Lane } from '../../../upstream/lane.js';
import type { LaneKind } from '../../../upstream/lane-kind.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { timeoutOf, timeoutPosition, timeoutReply } from '../blocking-frame.js';
import { giveBackFrame } from '../give-back.js';
import { UNBLOCKED } from '../unblock.js';
import { Attempt, type AttemptListener, isNothing } from './attempt.js';
import { isPlain, sortOf, withOneKey, withoutKeys } from './frames.js';
import type { KeyQueue, Taker } from './key-queue.js';
import type { KeyQueues } from './key-queues.js';
import { nodeNow } from './node-now.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const WRONG_TYPE = Buffer.from('-WRONGTYPE');
const NO_GROUP = Buffer.from('-NOGROUP');

/** A command on its way, as it came, or as it goes on after it waited at a node. */
export interface WaitingCall {
  readonly client: ClientConnection;
  readonly command: Command;
  /** Stands in the client's queue already. */
  readonly request: Request;
  /** The arguments, the command's name included. */
  readonly words: readonly Buffer[];
  /** Positions of the keys, one behind the other. */
  readonly keys: readonly number[];
  /** It has waited at a node before: its arguments are right, and what it would have been refused for at first is over. */
  readonly hasWaited: boolean;
  /** Milliseconds from now; Infinity: never. */
  readonly timeout: number;
}

/** What moves an element from a list of one node to one of another. */
export interface Move {
  readonly command: Command;
  /** As those of LMOVE or RPOPLPUSH. */
  readonly words: readonly Buffer[];
  readonly keys: readonly number[];
  /** Of both lists. */
  readonly owners: readonly UpstreamNode[];
  readonly kind: LaneKind;
}

/** @returns settles with the reply: the element, nil or an error; never rejects. A fence waits for it */
export type MoveElement = (client: ClientConnection, move: Move) => Promise<Buffer>;

/** One of its keys. */
interface Place {
  readonly queue: KeyQueue;
  /** The words with this key alone. */
  readonly words: readonly Buffer[];
  readonly since: number;
}

interface Try {
  readonly place: Place;
  readonly lane: Lane;
  readonly mark: number;
}

export class ApartWait implements Waiting, Taker, AttemptListener {
  readonly #router: Router;
  readonly #queues: KeyQueues;
  readonly #moveElement: MoveElement;
  readonly #all: Set<ApartWait>;
  readonly #call: WaitingCall;
  readonly #begunAt: number;
  #places: Place[] = [];
  /** How many of its keys, from the first one on, were looked at. */
  #lookedAt = 0;
  #isChecked = false;
  #try: Try | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Its time is over. */
  #isLate = false;
  /** A client has asked for the end of the wait. */
  #ended: UnblockMode | null = null;
  /** The client sends nothing more. */
  #hungUp = false;
  /** The client has left, or was answered: what is still taken is not its own. */
  #isOver = false;

  /** @param all those that wait */
  constructor(router: Router, queues: KeyQueues, moveElement: MoveElement, all: Set<ApartWait>, call: WaitingCall) {
    this.#router = router;
    this.#moveElement = moveElement;
    this.#queues = queues;
    this.#all = all;
    this.#call = call;
    this.#begunAt = router.shared.clock.now;
    all.add(this);
  }

  get kind(): LaneKind {
    return this.#call.client.kind;
  }

  begin(): void {
    const { command, words, keys, hasWaited } = this.#call;
    this.#setTimer();
    if (hasWaited || isPlain(command, words, keys, timeoutPosition(command, words))) this.#look();
    else this.#check();
  }

  /** The longest timeouts are longer than a timer can be. */
  #setTimer(): void {
    const left = this.#begunAt + this.#call.timeout - this.#router.shared.clock.read();
    if (left === Number.POSITIVE_INFINITY) return;
    if (left <= 0) this.#onTime();
    else this.#timer = setTimeout(() => this.#setTimer(), Math.min(Math.ceil(left), LONGEST_TIMER_MS));
  }

  /** What is unusual a node is asked, before anything is taken. */
  #check(): void {
    const { command, words, keys } = this.#call;
    const node = this.#router.nodeAt(this.#router.anyNode());
    const lane = node.pick(this.kind);
    if (lane === null) {
      this.#finish(node.downReply);
      return;
    }
    const onAnswer = (buffer: Buffer, start: number, end: number): void => {
      if (this.#isOver) return;
      if (buffer[start] === MINUS) this.#finish(buffer.subarray(start, end));
      else this.#look();
    };
    const frame = encodeRequest(withoutKeys(command, words, keys));
    new Attempt(lane, { onAnswer, onLost: (reply) => this.#finish(reply) }).send(command.id, frame, NO_KEYS_AT_ALL);
  }

  #look(): void {
    const { command, words, keys } = this.#call;
    this.#isChecked = true;
    const sort = sortOf(command);
    // Of two lists the first one is waited for.
    const waited = this.#moves ? keys.slice(0, 1) : keys;
    for (const [index, at] of waited.entries()) {
      const queue = this.#queues.of(this.kind.database, sort, words[at] as Buffer);
      if (this.#placeOf(queue) !== undefined) continue;
      const own = this.#moves ? words : withOneKey(command, words, keys, index);
      this.#places.push({ queue, words: own, since: queue.add(this) });
    }
    this.#advance();
  }

  /** Each key was looked at that it waits for. */
  get #isWaiting(): boolean {
    return this.#isChecked && this.#lookedAt === this.#places.length;
  }

  isTrying(queue: KeyQueue): boolean {
    return this.#try?.place.queue === queue;
  }

  isFree(queue: KeyQueue): boolean {
    if (this.#try !== null || this.#isOver) return false;
    if (this.#moves && this.#targetNode(queue) === null) return false;
    return this.#isWaiting || this.#places.findIndex((place) => place.queue === queue) <= this.#lookedAt;
  }

  tryAt(queue: KeyQueue, lane: Lane, hash: KeyHash, mark: number): void {
    const place = this.#placeOf(queue) as Place;
    const { command } = this.#call;
    this.#try = { place, lane, mark };
    const target = this.#moves ? this.#targetNode(queue) : lane.node;
    if (target !== null && target !== lane.node) this.#move(lane.node, target);
    else {
      const keys = this.#moves ? UNKNOWN_KEYS : KNOWN_KEY;
      new Attempt(lane, this).send(command.id, encodeRequest(place.words), keys, hash);
    }
  }

  /** Whether what it takes goes to another list. */
  get #moves(): boolean {
    return this.#call.command.waits?.takes === 'moves';
  }

  /** @returns null while the list that the element goes to is changing hands: the queue goes on when that is done */
  #targetNode(queue: KeyQueue): UpstreamNode | null {
    const { words, keys } = this.#call;
    return nodeNow(this.#router, this.kind.database, words[keys[1] as number] as Buffer, queue);
  }

  /** Takes the element from one node to the other one. */
  #move(source: UpstreamNode, target: UpstreamNode): void {
    const { client, command, words, keys } = this.#call;
    // Without the timeout it says what LMOVE and RPOPLPUSH do.
    const call = { command, words: words.slice(0, -1), keys, owners: [source, target], kind: this.kind };
    void this.#moveElement(client, call).then((reply) => this.onAnswer(reply, 0, reply.length));
  }

  onDown(_queue: KeyQueue, node: UpstreamNode): boolean {
    if (this.#isWaiting) return false;
    this.#finish(node.downReply);
    return true;
  }

  onLooked(): void {
    if (!this.#isOver) this.#advance();
  }

  onAnswer(buffer: Buffer, start: number, end: number): void {
    const tried = this.#endTry();
    if (tried === null) return;
    const { place, mark } = tried;
    if (isNothing(buffer, start)) place.queue.tried(mark, 'nothing');
    else if (buffer[start] === MINUS) this.#onError(tried, Buffer.from(buffer.subarray(start, end)));
    else {
      place.queue.tried(mark, 'found');
      if (this.#isOver || this.#finish(buffer, start, end)) this.#giveBack(tried, buffer.subarray(start, end));
    }
    this.#goOn();
  }

  onLost(reply: Buffer, isUnknown: boolean): void {
    const tried = this.#endTry();
    if (tried === null) return;
    tried.place.queue.tried(tried.mark, 'lost');
    // Something may have been taken for it: it must not wait as if nothing had happened.
    if (!this.#isOver && (isUnknown || !this.#isWaiting)) this.#finish(reply);
    this.#goOn();
  }

  /** The client has left. */
  abandon(): void {
    if (!this.#isOver) this.#end();
  }

  /** Nobody waits for a client that sends nothing more; but what is there at once it gets. */
  hangUp(): void {
    this.#hungUp = true;
    if (!this.#isOver && this.#isChecked) this.#advance();
  }

  stop(): void {
    this.endWait('ERROR');
  }

  /** What is on its way to it is its own still. */
  endWait(mode: UnblockMode): null {
    this.#ended = mode;
    if (!this.#isOver && this.#try === null) this.#finish(this.#endReply(mode));
    return null;
  }

  /** Called about ten times a second. */
  checkTime(now: number, requestTimeout: number): void {
    if (this.#isOver || this.#isWaiting || this.#try !== null || this.#queues.isPaused()) return;
    if (now - this.#begunAt > requestTimeout) this.#finish(GAVE_UP_REPLY);
  }

  #placeOf(queue: KeyQueue): Place | undefined {
    return this.#places.find((place) => place.queue === queue);
  }

  #onTime(): void {
    this.#isLate = true;
    if (!this.#isOver && this.#try === null && this.#isWaiting) this.#finish(this.#timeoutReply());
  }

  /** Goes on to the first key that was not looked at yet. */
  #advance(): void {
    for (; this.#lookedAt < this.#places.length; this.#lookedAt++) {
      const { queue, since } = this.#places[this.#lookedAt] as Place;
      // Where others wait there is nothing, and what comes is theirs first.
      if (this.#hungUp && !queue.isFirst(this)) continue;
      if (!queue.isLookedAt(since)) {
        queue.tellWhenLookedAt(this);
        queue.resumeSoon();
        return;
      }
      if (queue.refusal !== null && !this.#call.hasWaited) {
        this.#finish(queue.refusal);
        return;
      }
    }
    this.#goOn();
  }

  /** It tries nowhere: whatever has happened meanwhile counts now, and otherwise its other keys do. */
  #goOn(): void {
    if (this.#isOver || this.#try !== null) return;
    if (!this.#isWaiting) this.#askQueues();
    else if (this.#ended !== null) this.#finish(this.#endReply(this.#ended));
    else if (this.#isLate) this.#finish(this.#timeoutReply());
    else if (this.#hungUp) this.#endClient();
    else this.#askQueues();
  }

  /** They may have waited for it. */
  #askQueues(): void {
    for (const { queue } of this.#places) queue.resumeSoon();
  }

  #onError({ place, mark }: Try, reply: Buffer): void {
    const { queue } = place;
    // What became of the element is known to the client alone.
    if (this.#moves && !this.#isOver) {
      queue.tried(mark, 'failed');
      this.#finish(reply);
    } else if (reply.subarray(0, WRONG_TYPE.length).equals(WRONG_TYPE)) queue.tried(mark, 'nothing', reply);
    else if (this.#isOver) queue.tried(mark, 'failed');
    else if (!this.#isWaiting || reply.subarray(0, NO_GROUP.length).equals(NO_GROUP)) {
      queue.tried(mark, 'failed');
      this.#finish(reply);
    }
    // The node is busy, or loads its keys: it would not end the wait of a command that waits there.
    else queue.tried(mark, 'lost');
  }

  #endTry(): Try | null {
    const tried = this.#try;
    this.#try = null;
    return tried;
  }

  #giveBack({ place, lane }: Try, reply: Buffer): void {
    const frame = giveBackFrame(this.#call.command, place.words, reply);
    const back = lane.closed ? lane.node.pick(lane.kind) : lane;
    if (frame === null || back === null) return;
    // At once, so that a fence which waits for the try waits for this as well.
    back.ask(frame, null);
    place.queue.mark();
  }

  /** It would wait, and nobody is to wait for a client that sends nothing more: it gets the replies before this one. */
  #endClient(): void {
    const { client, request } = this.#call;
    request.silent = true;
    this.#finish(UNBLOCKED);
    client.endAfterReplies();
  }

  #timeoutReply(): Buffer {
    return timeoutReply(this.#call.command, this.kind.protocol);
  }

  #endReply(mode: UnblockMode): Buffer {
    return mode === 'ERROR' ? UNBLOCKED : this.#timeoutReply();
  }

  /** @returns whether the client is known never to read it */
  #finish(buffer: Buffer, start = 0, end = buffer.length): boolean {
    if (this.#isOver) return true;
    const { client, request } = this.#call;
    const isUnread = this.#hungUp && client.onLastReply(request, buffer, start, end);
    if (!this.#hungUp) client.onReply(request, buffer, start, end);
    this.#end();
    return isUnread;
  }

  #end(): void {
    const { client, command } = this.#call;
    const { counters, clock } = this.#router.shared;
    this.#isOver = true;
    this.#all.delete(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { queue } of this.#places) queue.leave(this);
    counters.crossNode.count(command.name, 'waiting', clock.now - this.#begunAt);
    client.unblock(this);
  }
}

/** Milliseconds until a command that has just come does not wait any more. */
export function timeoutFrom(command: Command, words: readonly Buffer[]): number {
  return timeoutOf(command, words, timeoutPosition(command, words));
}
