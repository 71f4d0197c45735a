/**
 * Whether a node is busy with a script that takes long, and what it answers other commands meanwhile. Found out where
 * the script came from; the other workers of the proxy are told, again and again, so that none goes on believing it
 * when a worker has died.
 */
import type { ReplySink, Request, RequestPool } from '../request.js';

const BUSY = Buffer.from('-BUSY');
const TELL_MS = 1000;
/** While a script runs the node is asked again, since the script's connection may have further commands to carry. */
const ASK_MS = 200;
/** What was heard from another process counts for so long. */
const HEARD_MS = 3000;

export class BusyState {
  readonly #tell: (reply: Buffer | null) => void;
  #own: Buffer | null = null;
  #toldAt = 0;
  #heard: Buffer | null = null;
  #heardAt = 0;
  #askedAt = 0;
  #asking = false;

  /** @param tell tells the other processes */
  constructor(tell: (reply: Buffer | null) => void) {
    this.#tell = tell;
  }

  /** `-BUSY …`, or null while nothing is known of a script that takes long. */
  get reply(): Buffer | null {
    return this.#own ?? this.#heard;
  }

  /**
   * @param now milliseconds, by the clock
   * @param runsLongCode whether a script holds up a connection
   * @returns whether the node is to be asked whether it is busy
   */
  shouldAsk(now: number, runsLongCode: boolean): boolean {
    return (runsLongCode || this.#own !== null) && !this.#asking && now - this.#askedAt >= ASK_MS;
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
    if (this.#own === null) return;
    this.#own = null;
    this.#tell(null);
  }

  /** Another process has told. */
  hear(reply: Buffer | null, now: number): void {
    this.#heard = reply;
    this.#heardAt = now;
  }

  tick(now: number): void {
    if (this.#own !== null && now - this.#toldAt >= TELL_MS) this.#begin(this.#own, now);
    if (this.#heard !== null && now - this.#heardAt > HEARD_MS) this.#heard = null;
  }

  #begin(reply: Buffer, now: number): void {
    this.#own = reply;
    this.#toldAt = now;
    this.#tell(reply);
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
