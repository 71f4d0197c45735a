/** Clients that track prefixes of keys (BCAST), by each of their prefixes. */

import { bytesOf } from '../../invalidations/prefixes.js';
import { isReserved } from '../../route/reserved.js';
import type { ClientTracking, TrackingOptions } from './client-tracking.js';

/** Prefixes of all clients together, and their bytes. */
const MOST_PREFIXES = 100_000;
const MOST_PREFIX_BYTES = 16_777_216;

export class Broadcast {
  readonly #trackers = new Map<string, Set<ClientTracking>>();
  /** How many different prefixes there are of each length. */
  readonly #lengths = new Map<number, number>();
  /** Of all clients: one that several have counts several times. */
  #count = 0;
  #bytes = 0;

  /** Different prefixes. */
  get size(): number {
    return this.#trackers.size;
  }

  /** @returns the error for a client that would make it too many; or null */
  refusal({ prefixes }: TrackingOptions, current: TrackingOptions | null): string | null {
    const before = current?.prefixes ?? [];
    const count = this.#count + prefixes.length - before.length;
    const bytes = this.#bytes + bytesOf(prefixes) - bytesOf(before);
    if (count <= MOST_PREFIXES && bytes <= MOST_PREFIX_BYTES) return null;
    return `ERR too many prefixes: all clients together may have ${MOST_PREFIXES}, of ${MOST_PREFIX_BYTES} bytes`;
  }

  add(tracking: ClientTracking, prefixes: readonly string[]): void {
    for (const prefix of prefixes) {
      let trackers = this.#trackers.get(prefix);
      if (trackers === undefined) {
        trackers = new Set();
        this.#trackers.set(prefix, trackers);
        this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
      }
      if (trackers.has(tracking)) continue;
      trackers.add(tracking);
      this.#count++;
      this.#bytes += prefix.length;
    }
  }

  remove(tracking: ClientTracking, prefixes: readonly string[]): void {
    for (const prefix of prefixes) {
      const trackers = this.#trackers.get(prefix);
      if (trackers?.delete(tracking) !== true) continue;
      this.#count--;
      this.#bytes -= prefix.length;
      if (trackers.size > 0) continue;
      this.#trackers.delete(prefix);
      const left = (this.#lengths.get(prefix.length) ?? 0) - 1;
      if (left > 0) this.#lengths.set(prefix.length, left);
      else this.#lengths.delete(prefix.length);
    }
  }

  /** The keys by those who track a prefix of theirs. There may be very many prefixes, but of few lengths. */
  matching(keys: readonly Buffer[]): Map<ReadonlySet<ClientTracking>, Buffer[]> {
    const matching = new Map<ReadonlySet<ClientTracking>, Buffer[]>();
    if (this.#trackers.size === 0) return matching;
    for (const key of keys) {
      // The proxy's own: what one node lends to another for a command.
      if (isReserved(key, 0, key.length)) continue;
      const text = key.toString('latin1');
      for (const length of this.#lengths.keys()) {
        const trackers = length > text.length ? undefined : this.#trackers.get(text.slice(0, length));
        if (trackers === undefined) continue;
        const told = matching.get(trackers);
        if (told === undefined) matching.set(trackers, [key]);
        else told.push(key);
      }
    }
    return matching;
  }
}
