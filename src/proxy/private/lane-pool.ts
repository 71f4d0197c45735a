/**
 * Lanes to one node that serve one client at a time: for large values and WATCH, or for commands that wait at the
 * node. One that was given back serves the next client; one that nobody wants is closed.
 */
import type { ClientConnection } from '../client/client-connection.js';
import type { Lane } from '../upstream/lane.js';

/** A lane that nobody used for this long is closed. Milliseconds. */
const IDLE_MS = 10_000;

export class LanePool {
  readonly #limit: number;
  readonly #open: (kindIndex: number) => Lane;
  /** By the kind's index; the lane that was used last is the last one. */
  readonly #idle: Lane[][] = [];
  /** Clients that wait for a lane. */
  readonly #waiting = new Set<ClientConnection>();
  #count = 0;

  /**
   * @param limit most lanes, those that nobody uses included
   * @param open opens another lane of a kind
   */
  constructor(limit: number, open: (kindIndex: number) => Lane) {
    this.#limit = limit;
    this.#open = open;
  }

  /** @returns null when there are as many lanes as there may be, and all of them are in use */
  take(kindIndex: number, client: ClientConnection): Lane | null {
    const idle = this.#idle[kindIndex];
    while (idle !== undefined && idle.length > 0) {
      const lane = idle.pop() as Lane;
      if (!lane.accepting) continue;
      lane.owner = client;
      return lane;
    }
    if (this.#count >= this.#limit && !this.#closeIdle()) return null;
    const lane = this.#open(kindIndex);
    lane.owner = client;
    lane.pool = this;
    this.#count++;
    return lane;
  }

  /** Takes back a lane on which nothing is in flight. @param now by the clock */
  give(lane: Lane, now: number): void {
    lane.owner = null;
    lane.lastUsedAt = now;
    let idle = this.#idle[lane.kindIndex];
    if (idle === undefined) {
      idle = [];
      this.#idle[lane.kindIndex] = idle;
    }
    idle.push(lane);
    this.#wake();
  }

  /** The lane has ended. */
  forget(lane: Lane): void {
    this.#count--;
    const idle = this.#idle[lane.kindIndex];
    const at = idle?.lastIndexOf(lane) ?? -1;
    if (at >= 0) idle?.splice(at, 1);
    this.#wake();
  }

  /** Resumes the client when it can ask for a lane again. */
  waitForLane(client: ClientConnection): void {
    this.#waiting.add(client);
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    // Who waits finds out by asking whether it has waited for too long.
    this.#wake();
    for (const idle of this.#idle) {
      if (idle === undefined) continue;
      let old = 0;
      while (old < idle.length && now - (idle[old] as Lane).lastUsedAt > IDLE_MS) old++;
      for (const lane of idle.splice(0, old)) lane.end('closed', 'was idle');
    }
  }

  #wake(): void {
    if (this.#waiting.size === 0) return;
    const clients = [...this.#waiting];
    this.#waiting.clear();
    for (const client of clients) client.resumeSoon();
  }

  /** Makes room by closing a lane of another kind. @returns false when all are in use */
  #closeIdle(): boolean {
    for (const idle of this.#idle) {
      const lane = idle?.shift();
      if (lane === undefined) continue;
      lane.end('closed', 'made room for another one');
      return true;
    }
    return false;
  }
}
