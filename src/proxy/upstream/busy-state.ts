/**
 * Whether a node is busy with a script that takes long, and what it answers other commands meanwhile. Found out where
 * the script came from; the other workers of the proxy are told, again and again, so that none goes on believing it
 * when a worker has died.
 */
import type { ReplySink, Request, RequestPool } from '../request.js';

const BUSY = Buffer.from('-BUSY');
const TELL_MS = 1000;
/** What was heard from another process counts for so long. */
const HEARD_MS = 3000;

export class BusyState {
  readonly #tell: (reply: Buffer | null) => void;
  #own: Buffer | null = null;
  #toldAt = 0;
  #heard: Buffer | null = null;
  #heardAt = 0;

  /** @param tell tells the other processes */
  constructor(tell: (reply: Buffer | null) => void) {
    this.#tell = tell;
  }

  /** `-BUSY …`, or null while nothing is known of a script that takes long. */
  get reply(): Buffer | null {
    return this.#own ?? this.#heard;
  }

  /** @param now milliseconds, by the clock */
  begin(reply: Buffer, now: number): void {
    this.#own = reply;
    this.#toldAt = now;
    this.#tell(reply);
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
    if (this.#own !== null && now - this.#toldAt >= TELL_MS) this.begin(this.#own, now);
    if (this.#heard !== null && now - this.#heardAt > HEARD_MS) this.#heard = null;
  }
}

/** Takes the reply to a command that is there to find out whether the node is busy. */
export class BusyProbe implements ReplySink {
  readonly #onBusy: (reply: Buffer) => void;
  readonly #requests: RequestPool;

  constructor(onBusy: (reply: Buffer) => void, requests: RequestPool) {
    this.#onBusy = onBusy;
    this.#requests = requests;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (buffer.compare(BUSY, 0, BUSY.length, start, start + BUSY.length) === 0) {
      this.#onBusy(Buffer.from(buffer.subarray(start, end)));
    }
    this.#requests.give(request);
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
  }
}
