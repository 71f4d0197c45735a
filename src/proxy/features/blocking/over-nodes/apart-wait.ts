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
import { isWrongType } from '../../../../node/reply-errors.js';
import { MINUS } from '../../../../resp/bytes.js';
import { request as encodeRequest } from '../../../../resp/encode.js';
import type { KeyHash } from '../../../../ring/rings.js';
import { KNOWN_KEY, NO_KEYS_AT_ALL, UNKNOWN_KEYS } from '../../../request/request.js';
import type { FrameBehind, Steps } from '../../../request/steps.js';
import { refusalOf } from '../../../route/node-refusals.js';
import type { Router } from '../../../route/router.js';
import { sendOnLane } from '../../../route/send-behind.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { Lane } from '../../../upstream/lane.js';
import type { LaneKind } from '../../../upstream/lane-kind.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { timeoutOf, timeoutPosition } from '../blocking-frame.js';
import { giveBackFrame } from '../give-back.js';
import { Attempt, type AttemptListener, isNothing } from './attempt.js';
import { ClientWait, type Seeker, type WaitingCall } from './client-wait.js';
import { isPlain, sortOf, withOneKey, withoutKeys } from './frames.js';
import type { KeyQueue, Taker } from './key-queue.js';
import type { KeyQueues } from './key-queues.js';
import { nodeNow } from './node-now.js';

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

/**
 * @param hasWaited the list was looked at before: one of another type is waited for from then on
 * @returns settles with the reply: the element, nil or an error; never rejects. A fence waits for it
 */
export type MoveElement = (client: ClientConnection, move: Move, hasWaited: boolean) => Promise<Buffer>;

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

export class ApartWait implements Seeker, Taker, AttemptListener, Steps {
  readonly letsOthersBy = false;
  readonly wait: ClientWait;
  readonly #router: Router;
  readonly #queues: KeyQueues;
  readonly #moveElement: MoveElement;
  readonly #call: WaitingCall;
  readonly #behind: FrameBehind[];
  #places: Place[] = [];
  /** How many of its keys, from the first one on, were looked at. */
  #lookedAt = 0;
  #isChecked = false;
  #try: Try | null = null;

  /** @param all those that wait */
  constructor(router: Router, queues: KeyQueues, moveElement: MoveElement, all: Set<ClientWait>, call: WaitingCall) {
    this.#router = router;
    this.#moveElement = moveElement;
    this.#queues = queues;
    this.#call = call;
    this.#behind = [...call.behind];
    call.request.steps = this;
    this.wait = new ClientWait(router, all, call, this);
  }

  sendBehind(key: Buffer, frame: Buffer): void {
    this.#behind.push({ key, frame });
  }

  get kind(): LaneKind {
    return this.#call.client.kind;
  }

  get isSeeking(): boolean {
    return this.#try !== null;
  }

  /** Each key was looked at that it waits for. */
  get isWaiting(): boolean {
    return this.#isChecked && this.#lookedAt === this.#places.length;
  }

  get isHeldUp(): boolean {
    return this.#queues.isPaused();
  }

  begin(): void {
    const { command, words, keys, hasWaited } = this.#call;
    this.wait.begin();
    if (hasWaited || isPlain(command, words, keys, timeoutPosition(command, words))) this.#look();
    else this.#check();
  }

  /** What is unusual a node is asked, before anything is taken. */
  #check(): void {
    const { command, words, keys } = this.#call;
    const node = this.#router.nodeAt(this.#router.anyNode());
    const lane = node.pick(this.kind);
    if (lane === null) {
      this.wait.finish(node.downReply);
      return;
    }
    const onAnswer = (buffer: Buffer, start: number, end: number): void => {
      if (this.#isOver) return;
      if (buffer[start] === MINUS) this.wait.finish(buffer.subarray(start, end));
      else this.#look();
    };
    const frame = encodeRequest(withoutKeys(command, words, keys));
    new Attempt(lane, { onAnswer, onLost: (reply) => this.wait.finish(reply) }).send(command.id, frame, NO_KEYS_AT_ALL);
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

  isTrying(queue: KeyQueue): boolean {
    return this.#try?.place.queue === queue;
  }

  isFree(queue: KeyQueue): boolean {
    if (this.#try !== null || this.#isOver) return false;
    if (this.#moves && this.#targetNode(queue) === null) return false;
    return this.isWaiting || this.#places.findIndex((place) => place.queue === queue) <= this.#lookedAt;
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
      this.#tell(lane);
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
    void this.#moveElement(client, call, this.isWaiting).then((reply) => {
      const lane = isNothing(reply, 0) ? null : target.pick(this.kind);
      if (lane !== null) this.#tell(lane);
      this.onAnswer(reply, 0, reply.length);
    });
  }

  /** Sends what goes behind a move by the lane of the list that the element goes to. */
  #tell(lane: Lane): void {
    for (const { key, frame } of this.#behind) sendOnLane(this.#router, lane, key, frame);
  }

  onDown(_queue: KeyQueue, node: UpstreamNode): boolean {
    if (this.isWaiting) return false;
    this.wait.finish(node.downReply);
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
      if (this.#isOver || this.wait.finish(buffer, start, end)) this.#giveBack(tried, buffer.subarray(start, end));
    }
    this.#goOn();
  }

  onLost(reply: Buffer, isUnknown: boolean): void {
    const tried = this.#endTry();
    if (tried === null) return;
    tried.place.queue.tried(tried.mark, 'lost');
    // Something may have been taken for it: it must not wait as if nothing had happened.
    if (!this.#isOver && (isUnknown || !this.isWaiting)) this.wait.finish(reply);
    this.#goOn();
  }

  onOver(): void {
    for (const { queue } of this.#places) queue.leave(this);
  }

  onHangUp(): void {
    if (this.#isChecked) this.#advance();
  }

  /** The client has left, or was answered: what is still taken is not its own. */
  get #isOver(): boolean {
    return this.wait.isOver;
  }

  #placeOf(queue: KeyQueue): Place | undefined {
    return this.#places.find((place) => place.queue === queue);
  }

  /** Goes on to the first key that was not looked at yet. */
  #advance(): void {
    for (; this.#lookedAt < this.#places.length; this.#lookedAt++) {
      const { queue, since } = this.#places[this.#lookedAt] as Place;
      // Where others wait there is nothing, and what comes is theirs first.
      if (this.wait.isHungUp && !queue.isFirst(this)) continue;
      if (!queue.isLookedAt(since)) {
        queue.tellWhenLookedAt(this);
        queue.resumeSoon();
        return;
      }
      if (queue.refusal !== null && !this.#call.hasWaited) {
        this.wait.finish(queue.refusal);
        return;
      }
    }
    this.#goOn();
  }

  /** It tries nowhere: whatever has happened meanwhile counts now, and otherwise its other keys do. */
  #goOn(): void {
    if (this.#isOver || this.#try !== null) return;
    if (this.isWaiting) this.wait.endIfDue();
    if (!this.#isOver) this.#askQueues();
  }

  /** They may have waited for it. */
  #askQueues(): void {
    for (const { queue } of this.#places) queue.resumeSoon();
  }

  #onError({ place, mark, lane }: Try, reply: Buffer): void {
    const { queue } = place;
    // What became of the element is known to the client alone.
    if (this.#moves && !this.#isOver) {
      queue.tried(mark, 'failed');
      this.wait.finish(reply);
    } else if (isWrongType(reply)) queue.tried(mark, 'nothing', reply);
    else if (this.#isOver) queue.tried(mark, 'failed');
    else if (!this.isWaiting) {
      queue.tried(mark, 'failed');
      this.wait.finish(refusalOf(reply, lane.node, this.#call.command.name, [queue.key]));
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
}

/** Milliseconds until a command that has just come does not wait any more. */
export function timeoutFrom(command: Command, words: readonly Buffer[]): number {
  return timeoutOf(command, words, timeoutPosition(command, words));
}
