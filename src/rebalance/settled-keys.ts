/**
 * Which moved keys are known to have left their sources: exactly (a key that is wrongly taken for settled would
 * be lost), and bounded. A source that was swept is remembered as a whole.
 *
 * Hundreds of thousands of keys a second may come in while clients are served, so nothing here is an object:
 * the keys' bytes stand one behind the other in slabs, and tables of offsets find them by hash (open addressing,
 * linear probing). There are many small tables, so that none takes long to grow.
 *
 *   slot of a table   where its entry is, plus one; 0: free | hash
 *   entry in a slab   source (2) | database (2) | length (2) | key
 *
 * What is not there is mostly told by the table alone: slabs are megabytes, and in no cache.
 *
 * Of a key above 4,096 bytes its SHA-256 stands there instead, under a length that no key has.
 */
import { createHash } from 'node:crypto';

/** Above this many bytes of keys everything is forgotten: a forgotten key is only asked for once more. */
const LIMIT_BYTES = 67_108_864;
const SLAB_BYTES = 1_048_576;
const HEADER_BYTES = 6;
/** Longer keys are remembered by their digest. */
const LONGEST_KEY = 4096;
/** Stands for the length of a digested key. */
const DIGESTED = 0xffff;
/** By the lower bits of the hash. */
const TABLES = 1024;
const FIRST_SLOTS = 64;
/** FNV-1a, 32 bits. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

interface Table {
  /** Two numbers for each slot. */
  slots: Int32Array;
  used: number;
}

export class SettledKeys {
  readonly #sweptSources = new Set<number>();
  #tables: (Table | undefined)[] = new Array(TABLES);
  #slabs: Buffer[] = [];
  /** Where the next entry begins; entries do not cross the end of a slab. */
  #end = 0;
  #exact = true;

  /** Whether nothing that was told has been forgotten. */
  get exact(): boolean {
    return this.#exact;
  }

  has(source: number, database: number, buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#sweptSources.has(source)) return true;
    if (end - start > LONGEST_KEY) return this.#has(source, database, digestOf(buffer, start, end), DIGESTED);
    const hash = hashOf(source, database, buffer, start, end);
    const table = this.#tables[hash % TABLES];
    return table !== undefined && this.#find(table, hash, source, database, end - start, buffer, start, end) >= 0;
  }

  add(source: number, database: number, key: Uint8Array): void {
    const isLong = key.length > LONGEST_KEY;
    const entry = isLong ? digestOf(key, 0, key.length) : key;
    const length = isLong ? DIGESTED : key.length;
    const hash = hashOf(source, database, entry, 0, entry.length);
    let table = this.#tables[hash % TABLES];
    if (table !== undefined && this.#find(table, hash, source, database, length, entry, 0, entry.length) >= 0) return;
    const offset = this.#append(source, database, length, entry);
    // Appending may have forgotten everything.
    table = this.#tables[hash % TABLES];
    if (table === undefined) {
      table = { slots: new Int32Array(2 * FIRST_SLOTS), used: 0 };
      this.#tables[hash % TABLES] = table;
    }
    if (table.used * 4 >= table.slots.length) grow(table);
    insert(table.slots, hash, offset);
    table.used++;
  }

  /** Those that were remembered as a whole. */
  get sources(): readonly number[] {
    return [...this.#sweptSources];
  }

  addSource(source: number): void {
    this.#sweptSources.add(source);
  }

  #has(source: number, database: number, entry: Uint8Array, length: number): boolean {
    const hash = hashOf(source, database, entry, 0, entry.length);
    const table = this.#tables[hash % TABLES];
    return table !== undefined && this.#find(table, hash, source, database, length, entry, 0, entry.length) >= 0;
  }

  /**
   * @param length as the entry tells it
   * @returns the entry's offset, or -1
   */
  #find(
    table: Table,
    hash: number,
    source: number,
    database: number,
    length: number,
    key: Uint8Array,
    start: number,
    end: number,
  ): number {
    const { slots } = table;
    const mask = (slots.length >> 1) - 1;
    for (let at = slotOf(hash, mask); ; at = (at + 1) & mask) {
      const offset = (slots[2 * at] as number) - 1;
      if (offset < 0) return -1;
      if (slots[2 * at + 1] !== (hash | 0)) continue;
      const slab = this.#slabs[Math.floor(offset / SLAB_BYTES)] as Buffer;
      const entry = offset % SLAB_BYTES;
      if (
        sameNumber(slab, entry, source) &&
        sameNumber(slab, entry + 2, database) &&
        sameNumber(slab, entry + 4, length) &&
        sameBytes(slab, entry + HEADER_BYTES, key, start, end)
      ) {
        return offset;
      }
    }
  }

  #append(source: number, database: number, length: number, key: Uint8Array): number {
    const size = HEADER_BYTES + key.length;
    // A slab may be filled to its last byte: the end is then where the next one would begin.
    if (this.#end + size > this.#slabs.length * SLAB_BYTES) {
      if (this.#slabs.length * SLAB_BYTES >= LIMIT_BYTES) {
        this.#slabs = [];
        this.#tables = new Array(TABLES);
        this.#exact = false;
      }
      this.#end = this.#slabs.length * SLAB_BYTES;
      this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
    }
    const offset = this.#end;
    const slab = this.#slabs[Math.floor(offset / SLAB_BYTES)] as Buffer;
    const entry = offset % SLAB_BYTES;
    slab.writeUInt16LE(source, entry);
    slab.writeUInt16LE(database, entry + 2);
    slab.writeUInt16LE(length, entry + 4);
    slab.set(key, entry + HEADER_BYTES);
    this.#end += size;
    return offset;
  }
}

function grow(table: Table): void {
  const { slots: former } = table;
  const slots = new Int32Array(former.length * 2);
  for (let at = 0; at < former.length; at += 2) {
    if (former[at] !== 0) insert(slots, (former[at + 1] as number) >>> 0, (former[at] as number) - 1);
  }
  table.slots = slots;
}

function digestOf(buffer: Uint8Array, start: number, end: number): Uint8Array {
  return createHash('sha256').update(buffer.subarray(start, end)).digest();
}

function insert(slots: Int32Array, hash: number, offset: number): void {
  const mask = (slots.length >> 1) - 1;
  let at = slotOf(hash, mask);
  while (slots[2 * at] !== 0) at = (at + 1) & mask;
  slots[2 * at] = offset + 1;
  slots[2 * at + 1] = hash;
}

/** The lower bits chose the table. */
function slotOf(hash: number, mask: number): number {
  return Math.floor(hash / TABLES) & mask;
}

function hashOf(source: number, database: number, key: Uint8Array, start: number, end: number): number {
  let hash = Math.imul(FNV_OFFSET ^ source, FNV_PRIME) ^ database;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (key[i] as number), FNV_PRIME);
  return hash >>> 0;
}

/** Whether `value` stands there, in two bytes, the lower one first. */
function sameNumber(slab: Uint8Array, at: number, value: number): boolean {
  return slab[at] === (value & 0xff) && slab[at + 1] === value >> 8;
}

function sameBytes(slab: Uint8Array, at: number, key: Uint8Array, start: number, end: number): boolean {
  for (let i = start, j = at; i < end; i++, j++) if (slab[j] !== key[i]) return false;
  return true;
}
