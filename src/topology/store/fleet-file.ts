/**
 * What a proxy of a fleet knew last, as one JSON file beside what a lone proxy keeps: the ring, and by which id it was a
 * member. For a start while the store that the fleet agrees on is out of reach: a ring that lets its proxies go on then
 * (`consistency: available`) is served as it was, by the same id, since nobody is passed in such a ring without a person
 * who answers for it.
 *
 * The directory's lock makes sure that no two processes take the same id.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RECORD_FORMAT, recordFormat } from '../state/ring-state.js';
import { replaceFile } from './files.js';
import { type StoredGroups, storedGroups } from './group-records.js';
import { ringState } from './ring-schema.js';
import type { StoredRing } from './ring-store.js';

export interface KnownFleet {
  /** Which ring that is: where the store keeps it. */
  readonly place: string;
  /** By which this proxy was registered last. */
  readonly proxyId: string;
  readonly ring: StoredRing;
  /** Null, or missing in files of before: none were recorded. */
  readonly groups?: StoredGroups | null | undefined;
}

const schema = z.object({
  format: z.number().int().min(1).max(RECORD_FORMAT),
  place: z.string(),
  proxyId: z.string().min(1),
  ring: z.object({ revision: z.number().int().nonnegative(), state: ringState }),
  groups: storedGroups.nullish(),
});

export class FleetFile {
  readonly #file: string;
  #writing: Promise<void> = Promise.resolve();
  /** What is to be written next; a later one takes its place. */
  #next: string | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  /** @returns null: nothing is known of this ring, or it cannot be read */
  async load(place: string): Promise<KnownFleet | null> {
    try {
      const { success, data } = schema.safeParse(JSON.parse(await readFile(this.#file, 'utf8')));
      return success && data.place === place ? data : null;
    } catch {
      return null;
    }
  }

  /**
   * Keeps what is known now. Of several that come while one is written, the last one is written.
   * @throws the system's error
   */
  save(known: KnownFleet): Promise<void> {
    this.#next = `${JSON.stringify({ format: recordFormat(known.ring.state), ...known }, null, 2)}\n`;
    const written = this.#writing.then(() => this.#write());
    this.#writing = written.catch(() => {});
    return written;
  }

  async #write(): Promise<void> {
    const text = this.#next;
    if (text === null) return;
    this.#next = null;
    await replaceFile(this.#file, text);
  }
}
