/**
 * Values of replicated groups outlive a proxy, and a fleet that is stopped whole: each proxy with a state directory keeps
 * what it has in a file, and reads it when it starts. What it reads is joined with what others have, like anything else.
 *
 * A file does not know what was deleted since, and who has deleted it remembers that for a while only. So a file is not
 * used when somebody is there who has forgotten something since it was written: who is there has everything else. And
 * where an older file was read before this one, by somebody who was there first, this one takes its place.
 */
import { setAside } from '../../set-aside.js';
import type { Timers } from '../../time/timers.js';
import { type BatchRecord, readBatch } from '../values/batch.js';
import { BUCKETS } from '../values/entry.js';
import { newestOf, type ValueStore } from '../values/store.js';
import { batchesOfBuckets } from '../values/whole-store.js';
import { OpenSnapshot, UnusableSnapshot, writeSnapshot } from './snapshot-file.js';
import { emptied, saidNow, saidOnceMore } from './superseding.js';

export interface SnapshotPorts {
  readonly path: string;
  /** Which ring the values are of: where its proxies agree; ALONE. */
  readonly ring: string;
  readonly store: ValueStore;
  readonly timers: Timers;
  /** What was deleted anywhere up to then is deleted here. Milliseconds since 1970. */
  knownUpTo(): number;
  info(message: string): void;
  warn(message: string): void;
}

export interface RestoreOptions {
  /** Nobody else was there who could know more. */
  readonly isAlone: boolean;
  /** Whether values of this key are wanted still. */
  belongs(key: string): boolean;
}

/** The ring of a proxy that is alone. */
export const ALONE = '';
/** What has changed is written so often: a proxy that is killed loses no more of it, unless others have it. */
const EVERY_MS = 5000;
/** What takes long to be written is written less often: it takes at most one part in so many of the time. */
const LEAST_REST = 20;
const BATCH_BYTES = 262_144;
/** Buckets that are written as they are at one moment. Between, clients are served. */
const BUCKETS_AT_ONCE = 8;

export class ValueSnapshot {
  readonly #ports: SnapshotPorts;
  #file: OpenSnapshot | null = null;
  /** The store's changes that the file has; null: it has to be written anew. */
  #written: number | null = 0;
  #writing: Promise<void> | null = null;
  /** By the timers' clock. */
  #notBefore = 0;
  #stop: (() => void) | null = null;
  /** Said once until it goes well again. */
  #isFailing = false;

  constructor(ports: SnapshotPorts) {
    this.#ports = ports;
  }

  /**
   * Looks what there is, before others are told of this proxy. One that is of no use is set aside, and told of.
   * @param former also the ring that this one was made of; null: of none
   */
  async open(former: string | null): Promise<void> {
    const { path, ring, store } = this.#ports;
    try {
      const file = await OpenSnapshot.open(path);
      if (file === null) return;
      const { note } = file;
      if (note.ring !== ring && note.ring !== former) {
        await file.close();
        throw new UnusableSnapshot(`is of ${nameOf(note.ring)}, not of ${nameOf(ring)}`);
      }
      this.#file = file;
      store.reach.forget(note.forgotten);
    } catch (error) {
      await this.#setAside(error);
    }
  }

  /** Takes what the file has, unless others know better. @returns whether it has taken something */
  async restore({ isAlone, belongs }: RestoreOptions): Promise<boolean> {
    const file = this.#file;
    if (file === null) return false;
    this.#file = null;
    const { path, store, info } = this.#ports;
    const { until, forgotten } = file.note;
    this.#written = null;
    try {
      const { reach } = store;
      if (reach.forgotten > until) {
        info(`${path} is older than what the other proxies of the ring know: replicated values are theirs`);
        return false;
      }
      const isNewer = reach.restored !== null && reach.restored.until < forgotten && until <= reach.restored.at;
      if (isAlone) reach.restore({ until, at: store.clock.wall() });
      const had = store.changes;
      await this.#takeAll(file, belongs, isNewer ? forgotten : null);
      if (had === 0) this.#written = store.changes;
      if (store.size > 0) info(`${store.size} replicated keys are as they were before the start`);
    } catch (error) {
      await this.#setAside(error);
    } finally {
      await file.close();
    }
    return true;
  }

  /** Begins to write what changes. */
  start(): void {
    const { timers } = this.#ports;
    this.#stop ??= timers.every(EVERY_MS, () => {
      if (timers.now() < this.#notBefore || this.#ports.store.changes === this.#written) return;
      this.#writing ??= this.#write().finally(() => {
        this.#writing = null;
      });
    });
  }

  /** Writes what there is last, also where nothing has changed: the file says up to when that is so. */
  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
    if (this.#stop === null) return;
    this.#stop();
    this.#stop = null;
    await this.#writing;
    if (this.#ports.store.changes > 0) await this.#write();
  }

  /** @param newerThan null: nothing; otherwise what was written up to then is gone, unless it is in this file */
  async #takeAll(file: OpenSnapshot, belongs: (key: string) => boolean, newerThan: number | null): Promise<void> {
    const { path, ring, store, warn } = this.#ports;
    const take = (records: readonly BatchRecord[]): void => {
      if (ring === ALONE) store.takeOwn(records, this);
      else store.take(records, this);
    };
    if (newerThan !== null)
      take(Array.from({ length: store.databases }, (_, database) => emptied(database, newerThan)));
    let strangers = 0;
    let ahead = 0;
    for await (const batch of file.batches()) {
      const records = readBatch(batch);
      if (records === null) throw new UnusableSnapshot('has a part that cannot be read');
      const taken: BatchRecord[] = [];
      for (const record of records) {
        if (record.kind === 'key' && !belongs(record.key)) strangers++;
        else {
          const said = record.kind === 'flush' || newerThan === null ? record : saidOnceMore(record, newerThan);
          if (said === null) continue;
          const newest = ring === ALONE ? null : newestOf(said);
          // Other proxies would not follow a clock that is ahead of theirs.
          const isAhead = newest !== null && !store.clock.accepts(newest);
          if (isAhead) ahead++;
          taken.push(isAhead ? saidNow(said, store.clock.wall()) : said);
        }
      }
      take(taken);
      store.tick();
    }
    if (strangers > 0)
      warn(`${strangers} keys in ${path} are of groups that are not replicated now: they are left out`);
    if (ahead > 0)
      warn(`${ahead} keys in ${path} were written later than this machine's clock says: they count as written now`);
  }

  async #write(): Promise<void> {
    const { path, ring, store, timers, warn } = this.#ports;
    const { changes } = store;
    const until = this.#ports.knownUpTo();
    const began = timers.now();
    try {
      const note = (): { ring: string; until: number; forgotten: number } => {
        return { ring, until, forgotten: Math.min(store.reach.forgotten, until) };
      };
      await writeSnapshot(path, piecesOf(store), note);
      this.#written = changes;
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) warn(`the values of replicated groups cannot be kept in ${path}: ${textOf(error)}`);
      this.#isFailing = true;
    }
    const took = timers.now() - began;
    this.#notBefore = began + took * LEAST_REST;
  }

  async #setAside(error: unknown): Promise<void> {
    const { path, warn } = this.#ports;
    const where = await setAside(path);
    const why = error instanceof UnusableSnapshot ? `${path} ${error.message}` : textOf(error);
    warn(`not all values of replicated groups are as they were before the start: ${why}; ${where}`);
  }
}

function* piecesOf(store: ValueStore): Generator<Buffer> {
  for (let from = 0; from < BUCKETS; from += BUCKETS_AT_ONCE) {
    const buckets = Array.from({ length: BUCKETS_AT_ONCE }, (_, i) => from + i);
    // All at once: a key that changes is told of in one piece with what it was made of.
    yield* [...batchesOfBuckets(store, buckets, BATCH_BYTES)];
  }
}

function nameOf(ring: string): string {
  return ring === ALONE ? 'a proxy that was alone' : `the ring at ${ring}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
