/** A bounded list of the keys that are seen most often, with their bytes. Nothing of it grows, whatever clients send. */
import { copyBytes } from '../../../resp/bytes.js';
import { lastingBytes, wordsOf } from '../../../resp/words.js';

/** How many keys are listed. */
export const LISTED_KEYS = 256;
/** Of a longer key there is the beginning. */
export const KEPT_KEY_BYTES = 512;
/** What is counted for less than this is forgotten. */
const FORGOTTEN = 0.5;
const NOWHERE = -1;

export interface HottestKey {
  /** Its first bytes, at most KEPT_KEY_BYTES. They are the caller's own. */
  readonly key: Buffer;
  /** Of the whole key. */
  readonly bytes: number;
  readonly database: number;
  /** How often it was seen since it is listed, and before as far as that was known; what is long ago counts less. */
  readonly count: number;
  /** Of these, how often it was only read. */
  readonly reads: number;
}

export class Hottest {
  readonly #slots = new Map<number, number>();
  readonly #bytes = lastingBytes(LISTED_KEYS * KEPT_KEY_BYTES);
  readonly #words = wordsOf(this.#bytes);
  readonly #fingerprints = new Int32Array(LISTED_KEYS);
  readonly #lengths = new Float64Array(LISTED_KEYS);
  readonly #databases = new Int32Array(LISTED_KEYS);
  /** 0: the slot is free. */
  readonly #counts = new Float64Array(LISTED_KEYS);
  readonly #reads = new Float64Array(LISTED_KEYS);
  /** No count is less than this one. */
  #least = 0;

  /** The slot of the key with this fingerprint, or -1. */
  slotOf(fingerprint: number): number {
    return this.#slots.get(fingerprint) ?? NOWHERE;
  }

  /** The key in this slot was seen again. */
  add(slot: number, weight: number, reads: number): void {
    (this.#counts[slot] as number) += weight;
    (this.#reads[slot] as number) += reads;
  }

  /** Whether the slot's key is this one: another one may have the same fingerprint. */
  holds(slot: number, database: number, source: Buffer, start: number, end: number): boolean {
    if (this.#databases[slot] !== database || this.#lengths[slot] !== end - start) return false;
    const at = slot * KEPT_KEY_BYTES;
    const kept = Math.min(end - start, KEPT_KEY_BYTES);
    return source.compare(this.#bytes, at, at + kept, start, start + kept) === 0;
  }

  /** Lists the key `source[start, end)` in place of the one that is seen least, if it is seen more often than that. */
  offer(
    fingerprint: number,
    database: number,
    source: Buffer,
    start: number,
    end: number,
    count: number,
    reads: number,
  ): void {
    if (count <= this.#least) return;
    const slot = this.#leastSlot();
    const least = this.#counts[slot] as number;
    this.#least = least;
    if (count <= least) return;
    if (least > 0) this.#slots.delete(this.#fingerprints[slot] as number);
    this.#slots.set(fingerprint, slot);
    this.#fingerprints[slot] = fingerprint;
    this.#databases[slot] = database;
    this.#lengths[slot] = end - start;
    this.#counts[slot] = count;
    this.#reads[slot] = reads;
    const kept = Math.min(end - start, KEPT_KEY_BYTES);
    copyBytes(this.#bytes, this.#words, slot * KEPT_KEY_BYTES, source, start, start + kept);
  }

  /** What was seen until now counts for less. @param factor 0 to 1 */
  fade(factor: number): void {
    for (let slot = 0; slot < LISTED_KEYS; slot++) {
      const count = this.#counts[slot] as number;
      if (count === 0) continue;
      (this.#reads[slot] as number) *= factor;
      this.#counts[slot] = count * factor;
      if (count * factor >= FORGOTTEN) continue;
      this.#counts[slot] = 0;
      this.#slots.delete(this.#fingerprints[slot] as number);
    }
    this.#least = 0;
  }

  /** @returns the keys, the hottest first. @param leastCount without those that were seen less often */
  list(leastCount: number): HottestKey[] {
    const listed: HottestKey[] = [];
    for (const slot of this.#slots.values()) {
      const count = this.#counts[slot] as number;
      if (count < leastCount) continue;
      const bytes = this.#lengths[slot] as number;
      const at = slot * KEPT_KEY_BYTES;
      listed.push({
        key: Buffer.from(this.#bytes.subarray(at, at + Math.min(bytes, KEPT_KEY_BYTES))),
        bytes,
        database: this.#databases[slot] as number,
        count,
        reads: this.#reads[slot] as number,
      });
    }
    return listed.sort((one, other) => other.count - one.count);
  }

  #leastSlot(): number {
    const counts = this.#counts;
    let least = 0;
    for (let slot = 1; slot < LISTED_KEYS; slot++) {
      if ((counts[slot] as number) < (counts[least] as number)) least = slot;
    }
    return least;
  }
}
