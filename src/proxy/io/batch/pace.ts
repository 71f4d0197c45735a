/**
 * How long to wait between two turns, when many are served. What a turn costs hardly depends on how much is in it, and
 * neither does what a write costs whoever it wakes: so where sockets become ready one after the other all the time, a turn
 * that comes a little later has several of them in it, and takes half the processor time for each. Network interfaces
 * do the same with their interrupts (Linux' documentation of adaptive interrupt moderation, and of `gro_flush_timeout`).
 *
 * Nobody waits where that would be felt and save nothing: where few sockets are served, while the thread has time
 * left, and behind a turn in which half of all had something to say: what the others wait for is what they are sent now.
 */

/** Longest wait, in microseconds. A command waits for two of them at most, on its way to its node and back. */
const MOST_WAIT_US = 120;
/** Microseconds of it for each socket that is served: a few soon have all said what they have to say. */
const WAIT_US_EACH = 1.2;
/** Sockets in a stretch of time from which on they are many. */
const MANY = 24;
const STRETCH_MS = 10;
/** Part of them from which on a turn is full: they have hardly more to say until they are answered. */
const FULL_TURN = 0.5;
/** To pass so many bytes on is enough for a turn; of large values each piece would wait by itself. */
const FULL_BYTES = 65_536;
/** Part of the time that turns take, up to which nobody waits, and from which on one waits as long as may be. */
const IDLE_LOAD = 0.25;
const FULL_LOAD = 0.45;
/** Below that the call costs more than it brings. */
const LEAST_WAIT_US = 5;
/** Turns over which the load is looked at, with those before weighing less and less. */
const TURNS = 16;

export class Pace {
  readonly #takeSeen: () => number;
  /** Milliseconds of a turn, and from its end to the next one's, on average. */
  #busy = 0;
  #whole = 0;
  #endedAt = 0;
  #stretchEndsAt = 0;
  /** Sockets of the stretch before. */
  #sockets = 0;

  /** @param takeSeen sockets that were served since it was called last */
  constructor(takeSeen: () => number) {
    this.#takeSeen = takeSeen;
  }

  /**
   * A turn has ended. All times in milliseconds.
   * @param read how many sockets had something to read in it, and how many bytes that was
   * @returns how many microseconds the next one is to wait, 0 or more
   */
  after(beganAt: number, endedAt: number, read: { readonly sockets: number; readonly bytes: number }): number {
    this.#busy += (endedAt - beganAt - this.#busy) / TURNS;
    this.#whole += (endedAt - this.#endedAt - this.#whole) / TURNS;
    this.#endedAt = endedAt;
    if (endedAt >= this.#stretchEndsAt) {
      this.#stretchEndsAt = endedAt + STRETCH_MS;
      this.#sockets = this.#takeSeen();
    }
    const isFull = read.sockets >= this.#sockets * FULL_TURN || read.bytes >= FULL_BYTES;
    if (this.#sockets < MANY || isFull) return 0;
    const load = (this.#busy / this.#whole - IDLE_LOAD) / (FULL_LOAD - IDLE_LOAD);
    const wait = Math.floor(Math.min(MOST_WAIT_US, WAIT_US_EACH * this.#sockets) * Math.min(1, load));
    return wait < LEAST_WAIT_US ? 0 : wait;
  }
}
