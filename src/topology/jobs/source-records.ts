/**
 * Who moves the keys of each source of a change, and how far that is: as the store tells, and of what this proxy moves, as
 * its movers know.
 */
import { messageOf } from '../../errors.js';
import type { Claim, MoveRecord } from '../state/fleet.js';
import { emptyRecord } from '../state/move-records.js';
import { moverJob, type RingStore } from '../store/ring-store.js';

export interface SourceRecordsPorts {
  /** Its id. */
  readonly change: string;
  readonly store: Pick<RingStore, 'claims' | 'moves'>;
  /** The name of the source with this index. */
  nameOf(source: number): string;
  /** What this proxy's mover of the source knows; null: it has none. */
  own(source: number): MoveRecord | null;
  /** Nothing is read any more. */
  isStopped(): boolean;
  /** The store was read. */
  onNews(): void;
  warn(message: string): void;
}

export class SourceRecords {
  readonly #sources: readonly number[];
  readonly #ports: SourceRecordsPorts;
  #claims: readonly Claim[] = [];
  /** By the name of the source, as was told last; what the store has of it goes when the change is over. */
  readonly #told = new Map<string, MoveRecord>();
  #looking: Promise<void> | null = null;
  #lookAgain = false;

  /** @param sources their indices */
  constructor(sources: readonly number[], ports: SourceRecordsPorts) {
    this.#sources = sources;
    this.#ports = ports;
  }

  /** Who moves the keys of the source with this name; null: nobody, as far as it is known. */
  claimOf(name: string): Claim | null {
    return this.#claims.find(({ job }) => job === moverJob(name)) ?? null;
  }

  /** What was told last of the source with this name; not what a mover of this proxy knows by now. */
  told(name: string): MoveRecord | undefined {
    return this.#told.get(name);
  }

  /** Of each source, in their order: what this proxy knows best. */
  get all(): readonly MoveRecord[] {
    return this.#sources.map((source) => {
      const name = this.#ports.nameOf(source);
      return this.#ports.own(source) ?? this.#told.get(name) ?? emptyRecord(name);
    });
  }

  /** Over all sources. */
  sum(count: (record: MoveRecord) => number): number {
    return this.all.reduce((sum, record) => sum + count(record), 0);
  }

  /** This is the newest of its source. */
  note(record: MoveRecord): void {
    this.#told.set(record.source, record);
  }

  /** What has failed, or was paused, is tried again: until others tell anew, nothing of that holds. */
  goOn(): void {
    for (const [name, record] of this.#told) this.#told.set(name, { ...record, paused: false, error: null });
  }

  /** Reads the store, once more where that is being done: what it has told meanwhile may be older than the news. */
  look(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#lookOn().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookOn(): Promise<void> {
    const { change, store, isStopped, onNews, warn } = this.#ports;
    while (this.#lookAgain && !isStopped()) {
      this.#lookAgain = false;
      try {
        this.#claims = await store.claims();
        for (const record of await store.moves(change)) this.note(record);
        onNews();
      } catch (error) {
        // What this proxy knows holds until the store tells the next news.
        warn(`how far the others have moved keys is not known: ${messageOf(error)}`);
      }
    }
  }
}
