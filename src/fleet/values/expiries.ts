/** Which entries end when, by the second: an entry that is given another time costs no more than two moves. */
import type { Entry } from './entry.js';
import { NEVER } from './key-state.js';

const SECOND_MS = 1000;

export class Expiries {
  readonly #seconds = new Map<number, Set<Entry>>();
  /** All of before was looked at. */
  #sweptUpTo = 0;

  /** Entries that have a time to live. */
  get size(): number {
    let size = 0;
    for (const entries of this.#seconds.values()) size += entries.size;
    return size;
  }

  /** The entry ends at another time now. */
  put(entry: Entry): void {
    const { expiry } = entry.state;
    const at = expiry === null || expiry.hasEnded ? NEVER : expiry.at;
    const second = at === NEVER ? NEVER : Math.floor(at / SECOND_MS);
    if (second === entry.second) return;
    this.remove(entry);
    entry.second = second;
    if (second === NEVER) return;
    const entries = this.#seconds.get(second);
    if (entries === undefined) this.#seconds.set(second, new Set([entry]));
    else entries.add(entry);
    if (second < this.#sweptUpTo) this.#sweptUpTo = second;
  }

  remove(entry: Entry): void {
    const entries = this.#seconds.get(entry.second);
    if (entries === undefined) return;
    entries.delete(entry);
    if (entries.size === 0) this.#seconds.delete(entry.second);
    entry.second = NEVER;
  }

  /** Those whose second is over, and that stay here until they are removed. @param now milliseconds since 1970 @param most of them */
  due(now: number, most: number): Entry[] {
    const second = Math.floor(now / SECOND_MS);
    const due: Entry[] = [];
    const take = (entries: Set<Entry> | undefined): void => {
      for (const entry of entries ?? []) if (due.length < most) due.push(entry);
    };
    // A clock that jumps far is followed by way of those that there are.
    if (second - this.#sweptUpTo > this.#seconds.size) {
      for (const [ends, entries] of this.#seconds) if (ends < second) take(entries);
    } else for (let ends = this.#sweptUpTo; ends < second; ends++) take(this.#seconds.get(ends));
    if (due.length < most) this.#sweptUpTo = Math.max(this.#sweptUpTo, second);
    return due;
  }
}
