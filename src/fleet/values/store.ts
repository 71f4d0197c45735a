/**
 * All values that this process has of the keys that every proxy has: by database and key, with what is to be known of
 * them at once (how many, how large, which have ended). Whoever passes changes on listens here.
 */
import { compareStamps, HybridClock, type Stamp } from '../crdt/hybrid-clock.js';
import type { BatchRecord } from './batch.js';
import { Entry } from './entry.js';
import { Expiries } from './expiries.js';
import { KeyState } from './key-state.js';
import { Reach } from './reach.js';
import { hasExpired, latestOf, stampOfEnd } from './read-state.js';
import { type Restamping, restamped, restampedState } from './restamping.js';
import { Tombstones } from './tombstones.js';

/** Hears of what was changed. */
export interface ChangeListener {
  /**
   * @param record what has changed something: it is never changed itself
   * @param from where it has come from; null: it was written here
   */
  onChange(record: BatchRecord, from: object | null): void;
  /** The key's time is over. Everybody finds that out alone. */
  onEnded?(database: number, key: string): void;
  /** Stamps are about to be made anew, here and in all processes of this machine. */
  onRestamping?(how: Restamping): void;
}

/** What is kept of a class of keys. */
export interface GroupSizes {
  /** Those that hold a value. */
  readonly keys: number;
  readonly bytes: number;
}

const NO_SIZES: GroupSizes = { keys: 0, bytes: 0 };

export interface StoreOptions {
  readonly databases: number;
  /** Bytes from which on nothing more is taken from clients. */
  readonly limit: number;
  /** Who writes here: nobody has had this name before. */
  readonly actor: string;
  /** Milliseconds since 1970; may jump. */
  readonly wallNow: () => number;
}

/** Keys that end are looked for in such steps, so that many at once hold nobody up. */
const MOST_ENDED = 2000;
/** What was deleted is remembered for so long in any case: what others have sent before may still be on its way. */
const TOMBSTONE_AGE_MS = 30_000;
/** And beyond that at most in this share of the memory; then the oldest are forgotten. */
const MOST_TOMBSTONES = 0.25;
const NO_ENTRIES: ReadonlySet<Entry> = new Set();

class Database {
  readonly entries = new Map<string, Entry>();
  readonly buckets: (Set<Entry> | undefined)[] = [];
  live = 0;
  /** All up to then is gone. */
  flushed: Stamp | null = null;
}

export class ValueStore {
  readonly actor: string;
  /** Makes the stamps of what is written here. */
  readonly clock: HybridClock;
  readonly limit: number;
  /** How far what is here can be relied on, for whoever has something of the past. */
  readonly reach = new Reach();
  readonly #databases: readonly Database[];
  readonly #expiries = new Expiries();
  readonly #tombstones = new Tombstones();
  readonly #listeners = new Set<ChangeListener>();
  readonly #groups = new Map<number, { keys: number; bytes: number }>();
  #groupOf: (key: string) => number = () => 0;
  readonly #keepers = new Set<(change: number) => boolean>();
  #bytes = 0;
  #changes = 0;
  #refused = 0;
  /** The latest end of a key that this process has seen. Milliseconds since 1970. */
  #endedUpTo = 0;

  constructor({ databases, limit, actor, wallNow }: StoreOptions) {
    this.actor = actor;
    this.clock = new HybridClock(actor, wallNow);
    this.limit = limit;
    this.#databases = Array.from({ length: databases }, () => new Database());
  }

  /** Of everything, estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Changes so far: each has a number. */
  get changes(): number {
    return this.#changes;
  }

  /** Records of others that were not taken: too far ahead of this machine's clock, or of a database that there is not. */
  get refused(): number {
    return this.#refused;
  }

  /** What is kept only so that something deleted does not come back. */
  get tombstones(): number {
    return this.#tombstones.size;
  }

  /** Keys that hold a value, in all databases. */
  get size(): number {
    return this.#databases.reduce((sum, { live }) => sum + live, 0);
  }

  /** From now on keys and bytes are counted by what this says of a key, too: a small number from 0 on. */
  classifyBy(groupOf: (key: string) => number): void {
    this.#groupOf = groupOf;
    this.#groups.clear();
    for (const { entries } of this.#databases) {
      for (const entry of entries.values()) {
        entry.group = groupOf(entry.key);
        this.#countGroup(entry, entry.countedBytes, Number(entry.isCounted));
      }
    }
  }

  /** What is kept of the keys of this class. */
  sizesOf(group: number): GroupSizes {
    return this.#groups.get(group) ?? NO_SIZES;
  }

  /** @returns a function that ends it */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What was deleted is remembered for as long as somebody may have something older.
   * @param knows whether another store has heard of the change with this number @returns a function that takes it back
   */
  keep(knows: (change: number) => boolean): () => void {
    this.#keepers.add(knows);
    return () => this.#keepers.delete(knows);
  }

  /** The entry of a key that holds a value now; null: it holds none. */
  find(database: number, key: string): Entry | null {
    const entry = this.#databases[database]?.entries.get(key);
    if (entry === undefined || !entry.isCounted) return null;
    // Whoever has seen it gone does not see it again, should the clock go back.
    return this.#endIfOver(entry) ? null : entry;
  }

  /**
   * The same, for a client that is about to write. @returns also an entry that holds no value, whose expiry may have to be
   * taken back; null: nothing is known of the key
   */
  findToWrite(database: number, key: string): Entry | null {
    const entry = this.#databases[database]?.entries.get(key);
    if (entry === undefined) return null;
    this.#endIfOver(entry);
    return entry;
  }

  /** Keys that hold a value in this database; those that have ended are counted until they are found. */
  sizeOf(database: number): number {
    return this.#databases[database]?.live ?? 0;
  }

  /** All entries of a bucket of a database, those without a value, too. */
  bucket(database: number, bucket: number): ReadonlySet<Entry> {
    return this.#databases[database]?.buckets[bucket] ?? NO_ENTRIES;
  }

  /** All entries of a database, those without a value, too. */
  entriesOf(database: number): Iterable<Entry> {
    return this.#databases[database]?.entries.values() ?? [];
  }

  get databases(): number {
    return this.#databases.length;
  }

  /** Up to when everything of the database is gone; null: it was never emptied. */
  flushedOf(database: number): Stamp | null {
    return this.#databases[database]?.flushed ?? null;
  }

  /** Whether a client may write so much more. Bytes. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.limit;
  }

  /**
   * Writes what a client has written.
   * @param delta what is new, with stamps of the store's clock; belongs to the store from now on
   */
  write(database: number, key: string, delta: KeyState): void {
    this.#join({ kind: 'key', database, key, state: delta }, null);
  }

  /** A client empties this database. */
  flush(database: number): void {
    this.#flush({ kind: 'flush', database, stamp: this.clock.next() }, null);
  }

  /** A client empties all databases. */
  flushAll(): void {
    for (let database = 0; database < this.#databases.length; database++) {
      // One that nobody has written to yet may have been written to elsewhere.
      this.flush(database);
    }
  }

  /** Takes what another machine has sent. @param from tells listeners whose it is */
  take(records: readonly BatchRecord[], from: object): void {
    for (const record of records) {
      const stamp = newestOf(record);
      if (stamp === null || this.clock.witness(stamp)) this.#takeIn(record, from);
      else this.#refused++;
    }
  }

  /**
   * Takes what was written by the clock of this machine. A clock that was turned back may say that it is of the future;
   * it is taken all the same, since nobody would send it once more.
   */
  takeOwn(records: readonly BatchRecord[], from: object): void {
    for (const record of records) {
      const stamp = newestOf(record);
      if (stamp !== null) this.clock.follow(stamp);
      this.#takeIn(record, from);
    }
  }

  /** The clock of this machine was ahead, and has gone back: stamps are made anew (`restamping.ts`). */
  restamp(how: Restamping): void {
    for (const listener of this.#listeners) listener.onRestamping?.(how);
    const now = this.clock.wall();
    for (const database of this.#databases) {
      if (database.flushed !== null) database.flushed = restamped(database.flushed, how);
      for (const entry of database.entries.values()) {
        entry.changedAt = Math.min(entry.changedAt, now);
        const newest = latestOf(entry.state);
        if (newest === null || newest[0] <= how.bound) continue;
        entry.state = restampedState(entry.state, how);
        entry.digest = null;
        this.#expiries.put(entry);
      }
    }
    this.clock.restamp((stamp) => restamped(stamp, how));
    this.reach.onClockBack(now);
    this.#changes++;
  }

  /**
   * Ends keys whose time is over, and drops what need not be kept any more. To be called about ten times a second.
   */
  tick(): void {
    const now = this.clock.wall();
    if (now < this.#endedUpTo) this.#tellEndsAfter(now);
    for (const entry of this.#expiries.due(now, MOST_ENDED)) this.#expire(entry);
    const bound = this.limit * MOST_TOMBSTONES;
    for (;;) {
      const oldest = this.#tombstones.oldest;
      if (oldest === null) break;
      const isOld = oldest.changedAt <= now - TOMBSTONE_AGE_MS && this.#everybodyKnows(oldest.change);
      if (!isOld && this.#tombstones.bytes <= bound) break;
      this.#tombstones.remove(oldest);
      const newest = latestOf(oldest.state);
      if (!oldest.state.isLive) this.#forget(oldest);
      else if (oldest.state.pruneRemoved(Number.POSITIVE_INFINITY)) this.#count(oldest);
      else continue;
      if (newest !== null) this.reach.forget(newest[0]);
    }
  }

  #takeIn(record: BatchRecord, from: object): void {
    if (record.database >= this.#databases.length) this.#refused++;
    else if (record.kind === 'flush') this.#flush(record, from);
    else this.#join(record, from);
  }

  #everybodyKnows(change: number): boolean {
    for (const knows of this.#keepers) if (!knows(change)) return false;
    return true;
  }

  /** @returns whether its time is over, and was not before */
  #endIfOver(entry: Entry): boolean {
    const { expiry } = entry.state;
    if (expiry === null || expiry.hasEnded || !hasExpired(expiry, this.clock.wall())) return false;
    this.#expire(entry);
    return true;
  }

  /**
   * Its time is over. What was there stays, unseen, for as long as a tombstone: whoever had given the key another time by
   * then, and was not heard yet, goes on with it.
   */
  #expire(entry: Entry): void {
    const { state, isCounted } = entry;
    const { expiry } = state;
    if (expiry === null) return;
    const ended = { ...expiry, hasEnded: true };
    state.expiry = ended;
    // What is written here from now on is later.
    this.clock.follow(stampOfEnd(ended));
    this.#endedUpTo = Math.max(this.#endedUpTo, ended.at);
    this.#changed(entry);
    if (isCounted) for (const listener of this.#listeners) listener.onEnded?.(entry.database, entry.key);
  }

  /**
   * Every process sees by itself that a key's time is over, so that is not told. But where the clock has gone back behind an
   * end that was seen here, others may not have seen it.
   */
  #tellEndsAfter(now: number): void {
    this.#endedUpTo = now;
    for (const { database, key, state } of this.#tombstones.entries()) {
      const { expiry } = state;
      if (expiry === null || !expiry.hasEnded || expiry.at <= now) continue;
      const ended = new KeyState();
      ended.expiry = expiry;
      for (const listener of this.#listeners) listener.onChange({ kind: 'key', database, key, state: ended }, null);
    }
  }

  #join(record: BatchRecord & { kind: 'key' }, from: object | null): void {
    const { database, key, state: delta } = record;
    const into = this.#databases[database];
    if (into === undefined) return;
    const { flushed } = into;
    const newest = flushed === null ? null : delta.newest();
    if (flushed !== null) {
      if (newest === null || compareStamps(newest, flushed) <= 0) return;
      delta.trim(flushed);
    }
    let entry = into.entries.get(key);
    if (entry === undefined) {
      entry = new Entry(database, key, new KeyState());
      entry.group = this.#groupOf(key);
      into.entries.set(key, entry);
      let bucket = into.buckets[entry.bucket];
      if (bucket === undefined) {
        bucket = new Set();
        into.buckets[entry.bucket] = bucket;
      }
      bucket.add(entry);
    }
    if (!entry.state.absorb(delta)) return;
    this.#changed(entry);
    for (const listener of this.#listeners) listener.onChange(record, from);
  }

  #flush(record: BatchRecord & { kind: 'flush' }, from: object | null): void {
    const database = this.#databases[record.database];
    if (database === undefined) return;
    if (database.flushed !== null && compareStamps(record.stamp, database.flushed) <= 0) return;
    database.flushed = record.stamp;
    this.#changes++;
    for (const entry of [...database.entries.values()]) {
      entry.state.trim(record.stamp);
      if (entry.state.newest() === null) this.#forget(entry);
      else this.#changed(entry);
    }
    for (const listener of this.#listeners) listener.onChange(record, from);
  }

  #changed(entry: Entry): void {
    entry.reply = null;
    entry.digest = null;
    entry.change = ++this.#changes;
    entry.changedAt = this.clock.wall();
    this.#expiries.put(entry);
    this.#count(entry);
    // The rest of a set may have something that was removed.
    if (!entry.state.isLive || entry.state.elements !== null) this.#tombstones.put(entry);
    else this.#tombstones.remove(entry);
  }

  #count(entry: Entry): void {
    const bytes = entry.bytes;
    const { isLive } = entry.state;
    this.#bytes += bytes - entry.countedBytes;
    this.#countGroup(entry, bytes - entry.countedBytes, Number(isLive) - Number(entry.isCounted));
    entry.countedBytes = bytes;
    if (isLive === entry.isCounted) return;
    entry.isCounted = isLive;
    const database = this.#databases[entry.database];
    if (database !== undefined) database.live += isLive ? 1 : -1;
  }

  #countGroup({ group }: Entry, bytes: number, keys: number): void {
    const sizes = this.#groups.get(group);
    if (sizes === undefined) this.#groups.set(group, { keys, bytes });
    else {
      sizes.keys += keys;
      sizes.bytes += bytes;
    }
  }

  #forget(entry: Entry): void {
    const database = this.#databases[entry.database];
    if (database === undefined) return;
    this.#tombstones.remove(entry);
    this.#expiries.remove(entry);
    database.entries.delete(entry.key);
    database.buckets[entry.bucket]?.delete(entry);
    this.#bytes -= entry.countedBytes;
    this.#countGroup(entry, -entry.countedBytes, -Number(entry.isCounted));
    if (entry.isCounted) database.live--;
    entry.isCounted = false;
    entry.countedBytes = 0;
  }
}

/** The latest of what it says; null: it says nothing. */
export function newestOf(record: BatchRecord): Stamp | null {
  return record.kind === 'key' ? latestOf(record.state) : record.stamp;
}
