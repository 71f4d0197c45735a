/**
 * Whether a node is busy with a script that takes long, and what it answers other commands meanwhile. Found out where
 * the script came from; the other workers of the proxy are told, again and again, so that none goes on believing it
 * when a worker has died.
 */

import type { ReplySink } from '../request/reply-sink.js';
import type { Request } from '../request/request.js';
import type { RequestPool } from '../request/request-pool.js';

const BUSY = Buffer.from('-BUSY');
/** What is told of a node that runs a script and does not say so yet. */
const SILENT = Buffer.alloc(0);
const TELL_MS = 1000;
/** While a script runs the node is asked again, since the script's connection may have further commands to carry. */
const ASK_MS = 200;
/** What was heard from another process counts for so long. */
const HEARD_MS = 3000;

export class BusyState {
  readonly #tell: (reply: Buffer | null) => void;
  #own: Buffer | null = null;
  /** The others believe that the node runs a script. */
  #isTold = false;
  #toldAt = 0;
  #heard: Buffer | null = null;
  #heardAt = 0;
  #askedAt = 0;
  #asking = false;

  /** @param tell tells the other processes */
  constructor(tell: (reply: Buffer | null) => void) {
    this.#tell = tell;
  }

  /** `-BUSY …`, or null while the node does not say so. */
  get reply(): Buffer | null {
    return this.#own ?? (this.#heard === null || this.#heard.length === 0 ? null : this.#heard);
  }

  /** Another process has sent the node a script that takes long. */
  get runsCodeOfOthers(): boolean {
    return this.#heard !== null;
  }

  /**
   * The node is being asked, by a command that it answers at once unless it is busy.
   * @param holds whether a script still holds up a connection: an answer may come later than the script's
   * @returns who takes the reply
   */
  ask(now: number, requests: RequestPool, holds: () => boolean): ReplySink {
    this.#askedAt = now;
    this.#asking = true;
    return new BusyProbe((reply) => {
      this.#asking = false;
      if (reply === null || !holds()) this.end();
      else this.#begin(reply, now);
    }, requests);
  }

  end(): void {
    this.#own = null;
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#tell(null);
  }

  /** Another process has told. @param reply empty: the node runs a script, and does not say so yet */
  hear(reply: Buffer | null, now: number): void {
    this.#heard = reply;
    this.#heardAt = now;
  }

  /**
   * Called about ten times a second.
   * @param now milliseconds, by the clock
   * @param runsCode whether a script of this process' clients holds up a connection
   * @returns whether the node is to be asked whether it is busy
   */
  tick(now: number, runsCode: boolean): boolean {
    if (this.#heard !== null && now - this.#heardAt > HEARD_MS) this.#heard = null;
    if (!runsCode && this.#own === null) return false;
    if (!this.#isTold || now - this.#toldAt >= TELL_MS) this.#tellOthers(now);
    return !this.#asking && now - this.#askedAt >= ASK_MS;
  }

  #begin(reply: Buffer, now: number): void {
    const isNews = this.#own === null;
    this.#own = reply;
    if (isNews) this.#tellOthers(now);
  }

  #tellOthers(now: number): void {
    this.#toldAt = now;
    this.#isTold = true;
    this.#tell(this.#own ?? SILENT);
  }
}

/** Takes the reply to a command that is there to find out whether the node is busy. */
class BusyProbe implements ReplySink {
  readonly #onReply: (busy: Buffer | null) => void;
  readonly #requests: RequestPool;

  /** @param onReply is given what a busy node says, or null */
  constructor(onReply: (busy: Buffer | null) => void, requests: RequestPool) {
    this.#onReply = onReply;
    this.#requests = requests;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const isBusy = buffer.compare(BUSY, 0, BUSY.length, start, start + BUSY.length) === 0;
    this.#onReply(isBusy ? Buffer.from(buffer.subarray(start, end)) : null);
    this.#requests.give(request);
  }

  onFailure(request: Request): void {
    this.#onReply(null);
    this.#requests.give(request);
  }
}
