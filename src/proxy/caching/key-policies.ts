/** Policies of single keys, whatever their groups say: a table by hash that is made once, and asked with every command. */
import { murmur3 } from '../../ring/hashes/murmur.js';
import type { CachePolicy } from './policy.js';

export interface KeyPolicy {
  readonly key: Buffer;
  readonly policy: CachePolicy;
}

const EMPTY = -1;
/** Places for each key, at least: most keys that are not in the table are told by one look. */
const ROOM = 8;

export class KeyPolicies {
  readonly #entries: readonly KeyPolicy[];
  /** The entry in each place, or EMPTY; one whose place is taken is in the next free one. */
  readonly #places: Int16Array;
  readonly #hashes: Int32Array;
  readonly #mask: number;

  /** @param entries at most 32,767, none of a key twice */
  constructor(entries: readonly KeyPolicy[]) {
    this.#entries = entries;
    this.#mask = 2 ** Math.ceil(Math.log2(Math.max(1, entries.length) * ROOM)) - 1;
    this.#places = new Int16Array(this.#mask + 1).fill(EMPTY);
    this.#hashes = Int32Array.from(entries, ({ key }) => murmur3(key, 0, key.length));
    for (const [index, hash] of this.#hashes.entries()) {
      let place = hash & this.#mask;
      while (this.#places[place] !== EMPTY) place = (place + 1) & this.#mask;
      this.#places[place] = index;
    }
  }

  /** How the key `source[start, end)` is cached; null: as its group says. */
  of(source: Uint8Array, start: number, end: number): CachePolicy | null {
    const hash = murmur3(source, start, end) | 0;
    for (let place = hash & this.#mask; ; place = (place + 1) & this.#mask) {
      const index = this.#places[place] as number;
      if (index === EMPTY) return null;
      if (this.#hashes[index] !== hash) continue;
      const { key, policy } = this.#entries[index] as KeyPolicy;
      if (key.length === end - start && isAt(source, start, key)) return policy;
    }
  }

  get keys(): Buffer[] {
    return this.#entries.map(({ key }) => key);
  }
}

/** Keys are short: a loop costs less than a call into the runtime. */
function isAt(source: Uint8Array, start: number, key: Buffer): boolean {
  for (let i = 0; i < key.length; i++) if (source[start + i] !== key[i]) return false;
  return true;
}
