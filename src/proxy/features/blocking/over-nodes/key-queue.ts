/**
 * Who waits for one key, in the order in which they came.
 *
 *   mark: the key may have something ──▶ the first one tries ──▶ it was served: the next ones try, more of them each time
 *                                                          └──▶ there is nothing: all wait for the next mark
 *
 * So one push is one try, however many wait. A mark that comes while a try is under way stands: what that try has seen
 * may be from before. Who tries at another key at the moment, or is to look at another key first, is waited for, unless it
 * lets others by: nobody behind it gets what it would have got. Where all are answered the same (readers of a stream from
 * the same entry on) the one who tries has the answer for all.
 */
import type { KeyHash } from '../../../../ring/rings.js';
import type { TurnTask } from '../../../io/turn.js';
import type { MoveWaiter } from '../../../key-moves.js';
import type { Router } from '../../../route/router.js';
import type { Lane } from '../../../upstream/lane.js';
import type { LaneKind } from '../../../upstream/lane-kind.js';
import type { LaneWaiter } from '../../../upstream/lane-pool.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { nodeNow } from './node-now.js';

/** Tries that are under way at the same time, at most. */
const MOST_AT_ONCE = 64;

/** Who waits in a queue. */
export interface Taker {
  readonly kind: LaneKind;
  /** Those behind it need not wait until it is free: it does not matter who is first. */
  readonly letsOthersBy: boolean;
  /** Whether a try of it is under way at this queue's key. */
  isTrying(queue: KeyQueue): boolean;
  /** Whether it may try at this queue's key now. */
  isFree(queue: KeyQueue): boolean;
  /** Tries at the key's node; `tried` is called with `mark` when that has ended. */
  tryAt(queue: KeyQueue, lane: Lane, hash: KeyHash, mark: number): void;
  /** The key's node is down. @returns whether it does not wait any more for that */
  onDown(queue: KeyQueue, node: UpstreamNode): boolean;
  /** The key was looked at, and it is one of those who wanted to know. */
  onLooked(): void;
  /** What another one was answered is the answer to it as well. */
  onShared?(reply: Buffer): void;
}

/** What queues need of whoever has them. */
export interface QueuePort {
  readonly router: Router;
  /** Whether nothing is to be taken at the moment (CLIENT PAUSE). */
  isPaused(): boolean;
  /** The key must be looked at again by and by: what its node says of it may have been missed. */
  doubt(queue: KeyQueue): void;
  /** Nobody waits in it any more. */
  onEmpty(queue: KeyQueue): void;
}

/**
 * How a try has ended.
 * - `found`: who tried was served.
 * - `shared`: who tried was served, and so were all who waited then.
 * - `nothing`: there was nothing.
 * - `failed`: neither is known, and the next one may try.
 * - `lost`: neither is known, nor can be before long.
 */
export type Outcome = 'found' | 'shared' | 'nothing' | 'failed' | 'lost';

export class KeyQueue implements MoveWaiter, LaneWaiter, TurnTask {
  readonly closed = false;
  readonly database: number;
  readonly key: Buffer;
  /** The key with one character for each byte. */
  readonly name: string;
  /** Whose elements it is about: a key may be waited for as a list by some, and as a sorted set by others. */
  readonly sort: string;
  /** When it was last looked at because of a doubt, by the clock. */
  polledAt = 0;
  readonly #port: QueuePort;
  /** The value is the mark since which it waits. */
  readonly #takers = new Map<Taker, number>();
  /** Those who want to know that the key was looked at. */
  readonly #lookers = new Set<Taker>();
  #mark = 0;
  #mayHave = false;
  #underWay = 0;
  #atOnce = 1;
  /** By which the tries that are under way have gone: on one lane they stay in order. */
  #lane: Lane | null = null;
  #foundEmptyAt = 0;
  #refusal: Buffer | null = null;
  #scheduled = false;

  constructor(port: QueuePort, database: number, sort: string, key: Buffer) {
    this.#port = port;
    this.database = database;
    this.sort = sort;
    this.key = key;
    this.name = key.toString('latin1');
  }

  /** @returns the mark since which it waits: what was found before says nothing to it */
  add(taker: Taker): number {
    this.mark();
    this.#takers.set(taker, this.#mark);
    return this.#mark;
  }

  leave(taker: Taker): void {
    this.#takers.delete(taker);
    this.#lookers.delete(taker);
    if (this.#takers.size === 0) this.#port.onEmpty(this);
    else this.resumeSoon();
  }

  /** Whether nobody stands in front of it. */
  isFirst(taker: Taker): boolean {
    const [first] = this.#takers.keys();
    return first === taker;
  }

  /** The key may have something. */
  mark(): void {
    this.#mark++;
    this.#mayHave = true;
    this.resumeSoon();
  }

  /** Whether the key was looked at, and had nothing, since this mark. */
  isLookedAt(since: number): boolean {
    return this.#foundEmptyAt >= since;
  }

  /** What the node has said the last time that there was nothing: an error, such as that the key is of another type; or null. */
  get refusal(): Buffer | null {
    return this.#refusal;
  }

  /** Has `onLooked` called when the key was looked at. */
  tellWhenLookedAt(taker: Taker): void {
    this.#lookers.add(taker);
  }

  /** A try has ended. @param refusal why there is nothing, if the node has said so by an error */
  tried(mark: number, outcome: Outcome, refusal: Buffer | null = null): void {
    this.#underWay--;
    if (outcome === 'found') this.#atOnce = Math.min(2 * this.#atOnce, MOST_AT_ONCE);
    else this.#atOnce = 1;
    if (outcome === 'lost') {
      this.#mayHave = false;
      this.#port.doubt(this);
    }
    if (outcome === 'nothing') {
      this.#foundEmptyAt = Math.max(this.#foundEmptyAt, mark);
      this.#refusal = refusal;
      if (mark === this.#mark) this.#mayHave = false;
      const lookers = [...this.#lookers];
      this.#lookers.clear();
      for (const looker of lookers) looker.onLooked();
    }
    this.resumeSoon();
  }

  /** All who have waited before the try began with this mark are answered so. */
  share(mark: number, reply: Buffer): void {
    for (const [taker, since] of [...this.#takers]) if (since <= mark) taker.onShared?.(reply);
  }

  /** Goes on at the end of the turn: the ring has changed, the key has arrived, a lane has room, somebody is free again. */
  resumeSoon(): void {
    if (this.#scheduled || !this.#mayHave) return;
    this.#scheduled = true;
    this.#port.router.shared.turn.resume(this);
  }

  endOfTurn(): void {
    this.#scheduled = false;
    if (!this.#mayHave || this.#takers.size === 0) return;
    const { router } = this.#port;
    if (router.snapshot === null || this.#port.isPaused()) return;
    const node = nodeNow(router, this.database, this.key, this);
    if (node === null) return;
    const hash = router.snapshot.rings.hashOf(this.key, 0, this.key.length);
    for (const taker of this.#takers.keys()) {
      if (this.#underWay >= this.#atOnce) return;
      if (taker.isTrying(this)) continue;
      const isFree = taker.isFree(this);
      if (!isFree && taker.letsOthersBy) continue;
      if (!isFree || !this.#begin(taker, node, hash)) return;
    }
  }

  /** @returns whether the next one may try as well */
  #begin(taker: Taker, node: UpstreamNode, hash: KeyHash): boolean {
    const lane = this.#underWay > 0 ? this.#lane : node.pick(taker.kind);
    if (lane === null) {
      if (taker.onDown(this, node)) return true;
      this.#mayHave = false;
      this.#port.doubt(this);
      return false;
    }
    const isOther = lane.node !== node || lane.kind.protocol !== taker.kind.protocol || !lane.accepting;
    if (this.#underWay > 0 && isOther) return false;
    if (lane.full) {
      lane.resumeWithRoom(this);
      return false;
    }
    this.#lane = lane;
    this.#underWay++;
    taker.tryAt(this, lane, hash, this.#mark);
    return true;
  }
}
