/** Entries that keep something only so that what was deleted does not come back, in the order of their last changes. */
import type { Entry } from './entry.js';

export class Tombstones {
  /** With the bytes that each counted for. */
  readonly #entries = new Map<Entry, number>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Of those that hold no value. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The one whose last change is the longest ago; null: there is none. */
  get oldest(): Entry | null {
    for (const entry of this.#entries.keys()) return entry;
    return null;
  }

  entries(): Iterable<Entry> {
    return this.#entries.keys();
  }

  put(entry: Entry): void {
    this.remove(entry);
    const bytes = entry.state.isLive ? 0 : entry.bytes;
    this.#entries.set(entry, bytes);
    this.#bytes += bytes;
  }

  remove(entry: Entry): void {
    const bytes = this.#entries.get(entry);
    if (bytes === undefined) return;
    this.#entries.delete(entry);
    this.#bytes -= bytes;
  }
}
