/**
 * What is still to be sent to one receiver, or to all that are sent the same: changes of a key become one until they go,
 * so that a counter which is counted ten thousand times a second is sent once a batch.
 */
import { type BatchRecord, BatchWriter, type FlushRecord } from './batch.js';
import { KeyState } from './key-state.js';
import type { ChangeListener } from './store.js';

export class Outbox implements ChangeListener {
  readonly #takes: (from: object | null) => boolean;
  readonly #onFilled: () => void;
  readonly #flushes = new Map<number, FlushRecord>();
  /** By database, by key. */
  readonly #keys = new Map<number, Map<string, KeyState>>();
  #isEmpty = true;

  /**
   * @param takes whether what comes from there is for this receiver; null: it was written here
   * @param onFilled there is something to be sent, where there was nothing
   */
  constructor(takes: (from: object | null) => boolean, onFilled: () => void = () => {}) {
    this.#takes = takes;
    this.#onFilled = onFilled;
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  onChange(record: BatchRecord, from: object | null): void {
    if (!this.#takes(from)) return;
    if (record.kind === 'flush') {
      this.#flushes.set(record.database, record);
      // What was there before is gone with it.
      for (const state of this.#keys.get(record.database)?.values() ?? []) state.trim(record.stamp);
    } else this.#add(record.database, record.key, record.state);
    if (!this.#isEmpty) return;
    this.#isEmpty = false;
    this.#onFilled();
  }

  /** @param budget bytes, nearly @returns a batch of what waits the longest; null: nothing waits */
  take(budget: number): Buffer | null {
    if (this.#isEmpty) return null;
    const writer = new BatchWriter();
    for (const { database, stamp } of this.#flushes.values()) writer.flush(database, stamp);
    this.#flushes.clear();
    for (const [database, keys] of this.#keys) {
      for (const [key, state] of keys) {
        if (writer.length > budget) return writer.take();
        writeWhole(writer, database, key, state);
        keys.delete(key);
      }
      this.#keys.delete(database);
    }
    this.#isEmpty = true;
    return writer.take();
  }

  #add(database: number, key: string, delta: KeyState): void {
    let keys = this.#keys.get(database);
    if (keys === undefined) {
      keys = new Map();
      this.#keys.set(database, keys);
    }
    let waiting = keys.get(key);
    if (waiting === undefined) {
      waiting = new KeyState();
      keys.set(key, waiting);
    }
    waiting.absorb(delta);
  }
}

/** Writes all of a state, in as many records as it needs. */
export function writeWhole(writer: BatchWriter, database: number, key: string, state: KeyState): void {
  let from = 0;
  do from = writer.key(database, key, state, from);
  while (from > 0);
}
