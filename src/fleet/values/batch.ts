/**
 * A batch: states of keys, and flushes of databases, as processes and proxies send them to each other and a snapshot
 * keeps them. Joining one twice, or in another order, changes nothing, so nobody need know what a batch is made of.
 *
 *   batch     format, then records to its end
 *   record    database, then 0 and a stamp (everything up to it is gone), or 1, the key and its state
 *   state     which parts follow (a bit each; one says that the expiry has ended), then those: reset, base, expiry, counts,
 *             elements
 *   actor     its number among those of the batch; a new one has the next number, and its name behind it
 */
import { compareStamps, isActor, type Stamp } from '../crdt/hybrid-clock.js';
import { BytesReader } from './bytes-reader.js';
import { BytesWriter } from './bytes-writer.js';
import { type Addition, type Count, KeyState, NEVER } from './key-state.js';
import { payloadOf, textReply } from './read-state.js';

export interface KeyRecord {
  readonly kind: 'key';
  readonly database: number;
  /** One character for each byte. */
  readonly key: string;
  readonly state: KeyState;
}

/** Everything of a database that was written up to then is gone. */
export interface FlushRecord {
  readonly kind: 'flush';
  readonly database: number;
  readonly stamp: Stamp;
}

export type BatchRecord = KeyRecord | FlushRecord;

const FORMAT = 1;
const FLUSH = 0;
const KEY = 1;

const RESET = 1;
const BASE = 2;
const EXPIRY = 4;
const COUNTS = 8;
const ELEMENTS = 16;
const HAS_ENDED = 32;
const ADDED = 1;
const REMOVED = 2;
/** A state of so many elements goes in several records. */
const MOST_ELEMENTS = 1024;
const MOST_DIGITS = 40;

export class BatchWriter {
  readonly #out = new BytesWriter();
  readonly #actors = new Map<string, number>();

  constructor() {
    this.#out.count(FORMAT);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#out.length;
  }

  flush(database: number, stamp: Stamp): void {
    this.#out.count(database);
    this.#out.count(FLUSH);
    this.#stamp(stamp);
  }

  /** @returns the number of elements from which on this state goes on in another record; 0: it is whole */
  key(database: number, key: string, state: KeyState, from = 0): number {
    const { reset, base, expiry, counts, elements } = state;
    const out = this.#out;
    out.count(database);
    out.count(KEY);
    out.text(key);
    const isFirst = from === 0;
    const isThere = (part: unknown, bit: number): number => (part !== null && isFirst ? bit : 0);
    const parts = isThere(reset, RESET) | isThere(base, BASE) | isThere(expiry, EXPIRY) | isThere(counts, COUNTS);
    const ended = isFirst && expiry?.hasEnded === true ? HAS_ENDED : 0;
    out.count(parts | ended | (elements === null ? 0 : ELEMENTS));
    if (isFirst) {
      if (reset !== null) this.#stamp(reset);
      if (base !== null) out.bytes(payloadOf(base));
      if (expiry !== null) {
        this.#stamp(expiry.stamp);
        out.count(expiry.at === NEVER ? 0 : expiry.at + 1);
      }
      if (counts !== null) {
        out.count(counts.size);
        for (const [actor, count] of counts) this.#count(actor, count);
      }
    }
    return elements === null ? 0 : this.#elements(elements, from);
  }

  /** The batch. The writer begins a new one. */
  take(): Buffer {
    const batch = this.#out.take();
    this.#actors.clear();
    this.#out.count(FORMAT);
    return batch;
  }

  #elements(elements: ReadonlyMap<string, readonly Addition[]>, from: number): number {
    const out = this.#out;
    const count = Math.min(MOST_ELEMENTS, elements.size - from);
    out.count(count);
    let at = 0;
    for (const [element, additions] of elements) {
      if (at++ < from) continue;
      if (at > from + count) break;
      out.text(element);
      out.count(additions.length);
      for (const { actor, added, removed } of additions) {
        this.#actor(actor);
        out.count((added === null ? 0 : ADDED) | (removed === null ? 0 : REMOVED));
        if (added !== null) this.#time(added);
        if (removed !== null) this.#time(removed);
      }
    }
    return from + count < elements.size ? from + count : 0;
  }

  #count(actor: string, { began, added, taken }: Count): void {
    this.#actor(actor);
    this.#time(began);
    this.#out.text(added.toString());
    this.#out.text(taken.toString());
  }

  #stamp(stamp: Stamp): void {
    this.#time(stamp);
    this.#actor(stamp[2]);
  }

  #time([wall, count]: Stamp): void {
    this.#out.count(wall);
    this.#out.count(count);
  }

  #actor(actor: string): void {
    const known = this.#actors.get(actor);
    if (known !== undefined) {
      this.#out.count(known);
      return;
    }
    this.#out.count(this.#actors.size);
    this.#out.text(actor);
    this.#actors.set(actor, this.#actors.size);
  }
}

/** @param bytes from a peer, or of a file: anything may be in it @returns its records; null: it is no batch */
export function readBatch(bytes: Buffer): BatchRecord[] | null {
  const reader = new BatchReader(bytes);
  const records: BatchRecord[] = [];
  while (!reader.isAtEnd) records.push(reader.record());
  return reader.failed ? null : records;
}

class BatchReader {
  readonly #in: BytesReader;
  readonly #actors: string[] = [];

  constructor(bytes: Buffer) {
    this.#in = new BytesReader(bytes);
    if (this.#in.count() !== FORMAT) this.#in.refuse();
  }

  get isAtEnd(): boolean {
    return this.#in.isAtEnd;
  }

  get failed(): boolean {
    return this.#in.failed;
  }

  record(): BatchRecord {
    const database = this.#in.count();
    const kind = this.#in.count();
    if (kind === FLUSH) return { kind: 'flush', database, stamp: this.#stamp() };
    if (kind !== KEY) this.#in.refuse();
    return { kind: 'key', database, key: this.#in.text(), state: this.#state() };
  }

  #state(): KeyState {
    const state = new KeyState();
    const parts = this.#in.count();
    const reset = parts & RESET ? this.#stamp() : null;
    const base = parts & BASE ? textReply(this.#in.bytes()) : null;
    // A value without the SET that it is of.
    if (reset === null && base !== null) this.#in.refuse();
    const sent = new KeyState();
    sent.reset = reset;
    sent.base = base;
    if (parts & EXPIRY) {
      const own = this.#stamp();
      // Mostly both are of one SET, and are kept once.
      const stamp = reset !== null && compareStamps(own, reset) === 0 ? reset : own;
      const at = this.#in.count();
      sent.expiry = { stamp, at: at === 0 ? NEVER : at - 1, hasEnded: at !== 0 && (parts & HAS_ENDED) !== 0 };
    }
    if (parts & COUNTS) sent.counts = this.#counts();
    if (parts & ELEMENTS) sent.elements = this.#elements();
    // What belongs together is checked and counted where states are joined.
    state.absorb(sent);
    return state;
  }

  #counts(): Map<string, Count> {
    const counts = new Map<string, Count>();
    const size = this.#in.count();
    for (let i = 0; i < size && !this.#in.failed; i++) {
      const actor = this.#actor();
      const began = this.#time(actor);
      counts.set(actor, { began, added: this.#integer(), taken: this.#integer() });
    }
    return counts;
  }

  #elements(): Map<string, readonly Addition[]> {
    const elements = new Map<string, readonly Addition[]>();
    const size = this.#in.count();
    for (let i = 0; i < size && !this.#in.failed; i++) {
      const element = this.#in.text();
      const additions: Addition[] = [];
      const rows = this.#in.count();
      for (let row = 0; row < rows && !this.#in.failed; row++) {
        const actor = this.#actor();
        const parts = this.#in.count();
        const added = parts & ADDED ? this.#time(actor) : null;
        const removed = parts & REMOVED ? this.#time(actor) : null;
        additions.push({ actor, added, removed });
      }
      elements.set(element, additions);
    }
    return elements;
  }

  #integer(): bigint {
    const text = this.#in.text();
    if (text.length <= MOST_DIGITS && /^\d+$/.test(text)) return BigInt(text);
    this.#in.refuse();
    return 0n;
  }

  #stamp(): Stamp {
    const wall = this.#in.count();
    const count = this.#in.count();
    return [wall, count, this.#actor()];
  }

  #time(actor: string): Stamp {
    const wall = this.#in.count();
    return [wall, this.#in.count(), actor];
  }

  #actor(): string {
    const number = this.#in.count();
    const known = this.#actors[number];
    if (known !== undefined) return known;
    const name = this.#in.text();
    // The end of a key's time is nobody's.
    if (number !== this.#actors.length || !(name === '' || isActor(name))) this.#in.refuse();
    this.#actors.push(name);
    return name;
  }
}
