/**
 * XREAD or XREADGROUP that waits for streams on several nodes.
 *
 *   LOOKING: all nodes at once, as without BLOCK ──▶ WAITING in the queue of each stream, for a mark of any ──▶ OVER
 *       └──────────────── found ──────────────────────────────┴──── found, its time, CLIENT UNBLOCK ─────────▶
 *
 * `$` becomes the id of a stream's newest entry before the look, so nothing is missed that is added behind it: each queue
 * looks at its stream once more when somebody joins it. What it then finds is of one stream, as in Redis. What a group has
 * delivered to a consumer that has left meanwhile is among the consumer's pending entries, as after any lost connection.
 */
import { isWrongType } from '../../../../node/reply-errors.js';
import { MINUS } from '../../../../resp/bytes.js';
import { error as encodeError, request as encodeRequest } from '../../../../resp/encode.js';
import type { KeyHash } from '../../../../ring/rings.js';
import { KNOWN_KEY } from '../../../request/request.js';
import type { Router } from '../../../route/router.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { Lane } from '../../../upstream/lane.js';
import type { LaneKind } from '../../../upstream/lane-kind.js';
import { Attempt, type AttemptListener, isNothing } from './attempt.js';
import { ClientWait, type Seeker, type WaitingCall } from './client-wait.js';
import { withOneKey } from './frames.js';
import type { KeyQueue, Taker } from './key-queue.js';
import type { KeyQueues } from './key-queues.js';
import { sortOfStream } from './stream-frames.js';

const DIGIT_ONE = 0x31;
const NO_GROUP = Buffer.from('-NOGROUP');
/** What Redis 7.0 ends the wait of a group's readers with. */
const GROUP_GONE = encodeError('NOGROUP the consumer group this client was blocked on no longer exists');
const STREAM_GONE = encodeError('UNBLOCKED the stream key no longer exists');

/** XREAD or XREADGROUP. */
export type StreamCall = Pick<WaitingCall, 'command' | 'words' | 'keys'>;

/** What is there at the moment. */
export interface Look {
  /** Nil: nothing, so it is waited for. */
  readonly reply: Buffer;
  /** As they were given, but from which entry on is said without `$`. */
  readonly words: readonly Buffer[];
}

/** Looks at the streams of all nodes, which have arrived there. @returns settles, and never rejects. A fence waits for it */
export type LookAtStreams = (client: ClientConnection, call: StreamCall) => Promise<Look>;

/** One of its streams. */
interface Place {
  readonly queue: KeyQueue;
  readonly frame: Uint8Array;
}

interface Try {
  readonly place: Place;
  readonly lane: Lane;
  readonly hash: KeyHash;
  readonly mark: number;
}

export class StreamWait implements Seeker, Taker, AttemptListener {
  /** Of a group it does not matter who is first, and of others all are answered. */
  readonly letsOthersBy = true;
  readonly isHeldUp = false;
  readonly wait: ClientWait;
  readonly #queues: KeyQueues;
  readonly #lookAt: LookAtStreams;
  readonly #call: WaitingCall;
  #places: Place[] = [];
  #isLooking = false;
  #try: Try | null = null;

  /** @param all those that wait */
  constructor(router: Router, queues: KeyQueues, lookAt: LookAtStreams, all: Set<ClientWait>, call: WaitingCall) {
    this.#queues = queues;
    this.#lookAt = lookAt;
    this.#call = call;
    this.wait = new ClientWait(router, all, call, this);
  }

  get kind(): LaneKind {
    return this.#call.client.kind;
  }

  get isSeeking(): boolean {
    return this.#isLooking || this.#try !== null;
  }

  get isWaiting(): boolean {
    return !this.#isLooking;
  }

  begin(): void {
    const { client, ...call } = this.#call;
    this.#isLooking = true;
    this.wait.begin();
    void this.#lookAt(client, call).then((look) => this.#onLook(look));
  }

  isTrying(queue: KeyQueue): boolean {
    return this.#try?.place.queue === queue;
  }

  isFree(_queue: KeyQueue): boolean {
    return this.#try === null && !this.wait.isOver;
  }

  tryAt(queue: KeyQueue, lane: Lane, hash: KeyHash, mark: number): void {
    const place = this.#places.find((one) => one.queue === queue) as Place;
    this.#try = { place, lane, hash, mark };
    new Attempt(lane, this).send(this.#call.command.id, place.frame, KNOWN_KEY, hash);
  }

  onDown(): boolean {
    return false;
  }

  onLooked(): void {
    // It does not ask to be told.
  }

  onShared(reply: Buffer): void {
    this.wait.finish(reply);
  }

  onAnswer(buffer: Buffer, start: number, end: number): void {
    const tried = this.#try;
    if (tried === null) return;
    const { place, mark } = tried;
    if (buffer[start] === MINUS) {
      this.#onError(tried, Buffer.from(buffer.subarray(start, end)));
      return;
    }
    this.#try = null;
    if (isNothing(buffer, start)) place.queue.tried(mark, 'nothing');
    else if (this.#isOfGroup) {
      place.queue.tried(mark, 'found');
      this.wait.finish(buffer, start, end);
    } else this.#share(place, mark, Buffer.from(buffer.subarray(start, end)));
    this.#goOn();
  }

  onLost(reply: Buffer, isUnknown: boolean): void {
    const tried = this.#try;
    if (tried === null) return;
    this.#try = null;
    tried.place.queue.tried(tried.mark, 'lost');
    // Something may have been delivered to it: it must not wait as if nothing had happened.
    if (this.#isOfGroup && isUnknown) this.wait.finish(reply);
    this.#goOn();
  }

  onHangUp(): void {
    if (!this.isSeeking) this.wait.endIfDue();
  }

  onOver(): void {
    for (const { queue } of this.#places) queue.leave(this);
  }

  /** Whether what it reads is delivered to it alone. */
  get #isOfGroup(): boolean {
    return this.#call.command.waits?.takes === 'delivers';
  }

  #onLook({ reply, words }: Look): void {
    this.#isLooking = false;
    if (!isNothing(reply, 0)) this.wait.finish(reply);
    else this.wait.endIfDue();
    if (!this.wait.isOver) this.#join(words);
  }

  #join(words: readonly Buffer[]): void {
    const { command, keys } = this.#call;
    const { database, protocol } = this.kind;
    for (const [index, at] of keys.entries()) {
      const sort = sortOfStream(command, words, keys, index, protocol);
      // That a group is removed changes no key, as nodes see it.
      const queue = this.#queues.of(database, sort, words[at] as Buffer, this.#isOfGroup);
      if (this.#places.some((place) => place.queue === queue)) continue;
      this.#places.push({ queue, frame: encodeRequest(withOneKey(command, words, keys, index)) });
      queue.add(this);
    }
  }

  /** It tries nowhere: whatever has happened meanwhile counts now, and otherwise its other streams do. */
  #goOn(): void {
    this.wait.endIfDue();
    if (!this.wait.isOver) for (const { queue } of this.#places) queue.resumeSoon();
  }

  /** All who wait alike are answered so, be it that the one who tried has left. */
  #share({ queue }: Place, mark: number, reply: Buffer): void {
    queue.share(mark, reply);
    queue.tried(mark, 'shared');
  }

  #onError(tried: Try, reply: Buffer): void {
    const { place, mark } = tried;
    const isOfOtherType = isWrongType(reply);
    if (this.#isOfGroup && beginsWith(reply, NO_GROUP)) {
      this.#onGroupGone(tried);
      return;
    }
    this.#try = null;
    if (isOfOtherType && this.#isOfGroup) this.#share(place, mark, STREAM_GONE);
    else if (isOfOtherType) place.queue.tried(mark, 'nothing');
    // The node is busy, or loads its keys: it would not end the wait of a command that waits there.
    else place.queue.tried(mark, 'lost');
    this.#goOn();
  }

  /** Redis says whether it is the stream that is gone. */
  #onGroupGone({ place, lane, mark, hash }: Try): void {
    const tell = (reply: Buffer): void => {
      this.#try = null;
      this.#share(place, mark, reply);
      this.#goOn();
    };
    const onAnswer = (buffer: Buffer, start: number): void =>
      tell(buffer[start + 1] === DIGIT_ONE ? GROUP_GONE : STREAM_GONE);
    new Attempt(lane, { onAnswer, onLost: () => tell(GROUP_GONE) }).send(
      this.#call.command.id,
      encodeRequest(['EXISTS', place.queue.key]),
      KNOWN_KEY,
      hash,
    );
  }
}

function beginsWith(reply: Buffer, word: Buffer): boolean {
  return reply.subarray(0, word.length).equals(word);
}
