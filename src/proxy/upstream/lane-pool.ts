/**
 * Lanes to one node that serve one client at a time: for large values and WATCH, or for commands that wait at the
 * node. One that was given back serves the next client; one that nobody wants is closed.
 */
import type { Requester } from '../request/requester.js';
import type { Lane } from './lane.js';

/** A lane that nobody used for this long is closed. Milliseconds. */
const IDLE_MS = 10_000;
/** Lanes that are opened at the same time: thousands would keep each other from being ready in time. */
const MOST_OPENING = 64;

/** Who waits for a lane, or until one takes commands again. */
export interface LaneWaiter {
  /** It does not want one any more. */
  readonly closed: boolean;
  /** Asks again, at the end of the turn. */
  resumeSoon(): void;
}

export class LanePool {
  readonly #limit: number;
  readonly #open: (kindIndex: number, pool: LanePool) => Lane;
  /** By the kind's index; the lane that was used last is the last one. */
  readonly #idle: Lane[][] = [];
  readonly #waiting = new Set<LaneWaiter>();
  /** Lanes that are not ready yet. */
  readonly #opening = new Set<Lane>();
  #count = 0;
  #idleCount = 0;

  /**
   * @param limit most lanes, those that nobody uses included
   * @param open opens another lane of a kind, for this pool
   */
  constructor(limit: number, open: (kindIndex: number, pool: LanePool) => Lane) {
    this.#limit = limit;
    this.#open = open;
  }

  /** Lanes that somebody uses. */
  get inUse(): number {
    return this.#count - this.#idleCount;
  }

  /** @returns null when there are as many lanes as there may be, or as many are being opened */
  take(kindIndex: number, client: Requester): Lane | null {
    const idle = this.#idle[kindIndex];
    while (idle !== undefined && idle.length > 0) {
      const lane = idle.pop() as Lane;
      this.#idleCount--;
      if (!lane.accepting) continue;
      lane.assignTo(client);
      return lane;
    }
    if (this.#opening.size >= MOST_OPENING) return null;
    if (this.#count >= this.#limit && !this.#closeIdle()) return null;
    const lane = this.#open(kindIndex, this);
    lane.assignTo(client);
    this.#count++;
    this.#opening.add(lane);
    return lane;
  }

  /** The lane is ready. */
  onReady(lane: Lane): void {
    if (this.#opening.delete(lane)) this.#wakeOne();
  }

  /** Takes back a lane on which nothing is in flight. @param now by the clock */
  give(lane: Lane, now: number): void {
    lane.unassign(now);
    let idle = this.#idle[lane.kindIndex];
    if (idle === undefined) {
      idle = [];
      this.#idle[lane.kindIndex] = idle;
    }
    idle.push(lane);
    this.#idleCount++;
    this.#wakeOne();
  }

  /** The lane has ended. */
  forget(lane: Lane): void {
    this.#count--;
    this.#opening.delete(lane);
    const idle = this.#idle[lane.kindIndex];
    const at = idle?.lastIndexOf(lane) ?? -1;
    if (at >= 0) {
      idle?.splice(at, 1);
      this.#idleCount--;
    }
    this.#wakeOne();
  }

  /** Resumes `waiter` when it can ask for a lane again. */
  waitForLane(waiter: LaneWaiter): void {
    this.#waiting.add(waiter);
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    // Who waits finds out by asking whether it has waited for too long.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) waiter.resumeSoon();
    for (const idle of this.#idle) {
      if (idle === undefined) continue;
      let old = 0;
      while (old < idle.length && now - (idle[old] as Lane).lastUsedAt > IDLE_MS) old++;
      this.#idleCount -= old;
      for (const lane of idle.splice(0, old)) lane.end('closed', 'was idle');
    }
  }

  #wakeOne(): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      if (waiter.closed) continue;
      waiter.resumeSoon();
      return;
    }
  }

  /** Makes room by closing a lane of another kind. @returns false when all are in use */
  #closeIdle(): boolean {
    for (const idle of this.#idle) {
      const lane = idle?.shift();
      if (lane === undefined) continue;
      this.#idleCount--;
      lane.end('closed', 'made room for another one');
      return true;
    }
    return false;
  }
}
