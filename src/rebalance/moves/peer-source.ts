/**
 * The keys of a source that another proxy moves, by one claim: asks it, in batches. Whatever is lost on the way is asked for
 * again by the clients that wait; when another claim comes, they ask whoever has that.
 */
import { randomUUID } from 'node:crypto';
import type { MoveWaiter } from '../../proxy/key-moves.js';
import type { Timers } from '../../time/timers.js';
import type { SettledKeys } from '../settled-keys.js';
import { AskedKeys, type KeyToSettle } from './asked-keys.js';
import type { SourceMoves } from './change-moves.js';
import type { MovesAnswer, MovesQuestion } from './peer-protocol.js';

/** Of a question. */
const MOST_KEYS = 512;
const MOST_BYTES = 524_288;
/** Questions about keys that may be on their way. */
const MOST_QUESTIONS = 2;
/** What was not answered is asked for again after this long. */
const RETRY_MS = 100;
/** How often a hold is asked for before it is given up for now. */
const HOLD_TRIES = 5;
/** How often it is renewed: several times while it is in force, see `MovesServer`. */
const RENEW_MS = 1000;
/** Keys that are known to be gone, and wait to be told; more are forgotten: they are asked for once more. */
const MOST_GONE = 10_000;

type Question = Pick<MovesQuestion, 'settle' | 'gone' | 'hold' | 'release'>;

export interface PeerSourceOptions {
  readonly source: number;
  /** Asks the proxy. @returns null: it has not answered, or does not move these keys */
  ask(question: Question): Promise<MovesAnswer | null>;
  /** What has moved, whoever has moved it. */
  readonly settled: SettledKeys;
  readonly timers: Pick<Timers, 'after' | 'every'>;
}

const NOTHING: Question = { settle: [], gone: [], hold: null, release: null };

export class PeerSource implements SourceMoves {
  readonly #options: PeerSourceOptions;
  readonly #asked: AskedKeys;
  #waiting: KeyToSettle[] = [];
  #questions = 0;
  #gone: { database: number; key: Buffer }[] = [];
  #isTelling = false;
  #closed = false;

  constructor(options: PeerSourceOptions) {
    this.#options = options;
    this.#asked = new AskedKeys((keys) => {
      this.#waiting.push(...keys);
      this.#pump();
    });
  }

  settle(target: number, database: number, key: Buffer, client: MoveWaiter): void {
    this.#asked.settle(this.#options.source, target, database, key, client);
  }

  /**
   * It counts when the mover knows of it: should the source come back with what it had in the past, that must not be taken
   * for what it has.
   */
  noteGone(database: number, key: Buffer): void {
    if (this.#closed || this.#gone.length >= MOST_GONE) return;
    this.#gone.push({ database, key: Buffer.from(key) });
    if (!this.#isTelling) void this.#tellGone();
  }

  async hold(): Promise<(() => void) | null> {
    const hold = randomUUID();
    const release = (): void => void this.#options.ask({ ...NOTHING, release: hold });
    for (let tries = 0; tries < HOLD_TRIES && !this.#closed; tries++) {
      const answer = await this.#options.ask({ ...NOTHING, hold });
      if (answer === null) break;
      if (!answer.held) continue;
      const endRenewals = this.#options.timers.every(RENEW_MS, () => void this.#options.ask({ ...NOTHING, hold }));
      return () => {
        endRenewals();
        release();
      };
    }
    // It may have been granted meanwhile.
    release();
    return null;
  }

  /** Another one moves the keys, or nobody: who waits asks anew. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#gone = [];
    this.#asked.close();
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#questions < MOST_QUESTIONS && !this.#closed) {
      const keys = this.#waiting.splice(0, countOf(this.#waiting));
      void this.#ask(keys);
    }
  }

  async #ask(keys: readonly KeyToSettle[]): Promise<void> {
    this.#questions++;
    const settle = keys.map(({ token, target, database, key }) => ({ token, target, database, key: bufferOf(key) }));
    const answer = await this.#options.ask({ ...NOTHING, settle });
    if (answer === null) await this.#pause();
    this.#questions--;
    if (this.#closed) return;
    const settled = new Set(answer?.settled);
    const failed = new Set(answer?.failed);
    const { settled: known, source } = this.#options;
    const underWay: KeyToSettle[] = [];
    for (const asked of keys) {
      const { token } = asked;
      if (settled.has(token)) {
        this.#asked.answer(token, ({ database, key }) => known.add(source, database, key));
      } else if (answer === null || failed.has(token)) this.#asked.answer(token, () => {});
      else underWay.push(asked);
    }
    this.#waiting.unshift(...underWay);
    this.#pump();
  }

  async #tellGone(): Promise<void> {
    this.#isTelling = true;
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#gone.length > 0) {
      const gone = this.#gone.splice(0, countOf(this.#gone));
      const answer = await this.#options.ask({ ...NOTHING, gone });
      // What is not told is asked for once more.
      if (answer === null || this.#closed) continue;
      for (const { database, key } of gone) this.#options.settled.add(this.#options.source, database, key);
    }
    this.#isTelling = false;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.timers.after(RETRY_MS, resolve));
  }
}

/** How many of the keys go in one question: at least one. */
function countOf(keys: readonly { readonly key: Uint8Array }[]): number {
  let bytes = 0;
  let count = 0;
  for (const { key } of keys) {
    bytes += key.length;
    if (count > 0 && (count >= MOST_KEYS || bytes > MOST_BYTES)) break;
    count++;
  }
  return count;
}

function bufferOf(key: Uint8Array): Buffer {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}
