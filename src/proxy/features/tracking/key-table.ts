/**
 * Which clients have read which keys since these changed last. Bounded: the key that was noted first makes room, and
 * its clients are told as if it had changed.
 */
import type { ClientTracking } from './client-tracking.js';

type Readers = ClientTracking | Set<ClientTracking>;

/** So many readers may have left before the table is looked through for them. */
const MOST_LEFT = 1000;

const NOBODY: readonly ClientTracking[] = [];

export class KeyTable {
  #limit: number;
  /** By the key with one character for each byte, in the order in which they were noted. Most have one reader. */
  readonly #keys = new Map<string, Readers>();
  /** Called with a key that makes room for another. */
  /** Readers that have left since the last walk over the table began. */
  #left = 0;
  #walk: Iterator<[string, Readers]> | null = null;
  readonly #onEvicted: (key: string, readers: Iterable<ClientTracking>) => void;

  /** @param limit the most keys that are kept; 0: no limit */
  constructor(limit: number, onEvicted: (key: string, readers: Iterable<ClientTracking>) => void) {
    this.#limit = limit;
    this.#onEvicted = onEvicted;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Pairs of a key and a client. Walks the table. */
  get items(): number {
    let count = 0;
    for (const readers of this.#keys.values()) count += readers instanceof Set ? readers.size : 1;
    return count;
  }

  add(key: string, reader: ClientTracking): void {
    const readers = this.#keys.get(key);
    if (readers === reader) return;
    if (readers === undefined) {
      this.#keys.set(key, reader);
      this.#makeRoom();
    } else if (readers instanceof Set) readers.add(reader);
    else this.#keys.set(key, new Set([readers, reader]));
  }

  /** The client does not count as a reader of the key any more. */
  remove(key: string, reader: ClientTracking): void {
    const readers = this.#keys.get(key);
    if (readers === reader) this.#keys.delete(key);
    else if (readers instanceof Set && readers.delete(reader) && readers.size === 0) this.#keys.delete(key);
  }

  /** A client that may be a reader of any key has left: it is removed by and by. */
  noteLeft(): void {
    this.#left++;
  }

  /**
   * Removes readers that have left, where there may be many: otherwise a key that many read and nobody changes would
   * keep each of them for ever.
   * @param most how many keys are looked at
   */
  sweep(most: number): void {
    if (this.#walk === null) {
      if (this.#left < MOST_LEFT) return;
      this.#left = 0;
      this.#walk = this.#keys.entries();
    }
    for (let looked = 0; looked < most; ) {
      const { value, done } = this.#walk.next();
      if (done === true) {
        this.#walk = null;
        return;
      }
      const [key, readers] = value;
      looked += readers instanceof Set ? readers.size : 1;
      for (const reader of readers instanceof Set ? readers : [readers]) {
        if (reader.client === null) this.remove(key, reader);
      }
    }
  }

  /** The clients that have read the key; the key is forgotten. */
  take(key: string): Iterable<ClientTracking> {
    const readers = this.#keys.get(key);
    if (readers === undefined) return NOBODY;
    this.#keys.delete(key);
    return readers instanceof Set ? readers : [readers];
  }

  clear(): void {
    this.#keys.clear();
  }

  /** @param limit the most keys that are kept; 0: no limit */
  bound(limit: number): void {
    this.#limit = limit;
    this.#makeRoom();
  }

  #makeRoom(): void {
    if (this.#limit === 0 || this.#keys.size <= this.#limit) return;
    for (const oldest of this.#keys.keys()) {
      this.#onEvicted(oldest, this.take(oldest));
      if (this.#keys.size <= this.#limit) break;
    }
  }
}
