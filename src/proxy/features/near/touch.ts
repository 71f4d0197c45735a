import type { Companion } from '../../request/companion.js';
import type { InFlight } from './in-flight.js';

const FIRST_KEYS = 4;
const SPARE_TOUCHES = 4096;
/** One that has had more keys is left to the collector. */
const MOST_KEPT_KEYS = 1024;

/** What a touch tells when its command is over. */
export interface TouchListener {
  /** A client has read the key from its node: what is kept of it may be older than what the client knows now. */
  onRead(keyHash: number): void;
  /** The same of any key. */
  onReadOfAnyKey(): void;
}

/** The keys that a command of a client's reads at nodes, or writes, while it is on its way. */
export class Touch implements Companion {
  /** It may write its keys; otherwise it reads them. */
  writes = false;
  /** It may touch any key. */
  ofAnyKey = false;
  count = 0;
  #hashes = new Int32Array(FIRST_KEYS);
  #sent = false;
  readonly #pool: TouchPool;

  constructor(pool: TouchPool) {
    this.#pool = pool;
  }

  add(keyHash: number): void {
    if (this.count === this.#hashes.length) {
      const larger = new Int32Array(this.count * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.count++] = keyHash;
  }

  onSent(): void {
    this.#sent = true;
    const { inFlight } = this.#pool;
    if (this.ofAnyKey && this.writes) inFlight.beginWriteOfAnyKey();
    else if (this.ofAnyKey) inFlight.beginReadOfAnyKey();
    for (let i = 0; i < this.count; i++) {
      const keyHash = this.#hashes[i] as number;
      if (this.writes) inFlight.beginWrite(keyHash);
      else inFlight.beginRead(keyHash);
    }
  }

  reads(keyHash: number): boolean {
    if (this.writes) return false;
    if (this.ofAnyKey) return true;
    for (let i = 0; i < this.count; i++) if (this.#hashes[i] === keyHash) return true;
    return false;
  }

  onDone(): void {
    const { inFlight, listener } = this.#pool;
    if (this.ofAnyKey && this.writes) inFlight.endWriteOfAnyKey();
    else if (this.ofAnyKey) {
      inFlight.endReadOfAnyKey();
      listener.onReadOfAnyKey();
    }
    for (let i = 0; i < this.count; i++) {
      const keyHash = this.#hashes[i] as number;
      if (this.writes) inFlight.endWrite(keyHash);
      else {
        inFlight.endRead(keyHash);
        listener.onRead(keyHash);
      }
    }
    this.#pool.give(this);
  }

  /** It has gone with a request: it is another command's only by `reset`. */
  get sent(): boolean {
    return this.#sent;
  }

  get isSmall(): boolean {
    return this.#hashes.length <= MOST_KEPT_KEYS;
  }

  /** Ready for another command. */
  reset(): void {
    this.#sent = false;
    this.writes = false;
    this.ofAnyKey = false;
    this.count = 0;
  }
}

/** Takes and gives back touches, so that a command costs no allocation. */
export class TouchPool {
  readonly inFlight: InFlight;
  readonly listener: TouchListener;
  readonly #spares: Touch[] = [];

  constructor(inFlight: InFlight, listener: TouchListener) {
    this.inFlight = inFlight;
    this.listener = listener;
  }

  take(): Touch {
    const touch = this.#spares.pop() ?? new Touch(this);
    touch.reset();
    return touch;
  }

  give(touch: Touch): void {
    if (touch.isSmall && this.#spares.length < SPARE_TOUCHES) this.#spares.push(touch);
  }
}
