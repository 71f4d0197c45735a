/** What a store has, in batches: all of it for whoever begins with nothing, some buckets for whoever has something else. */
import { BatchWriter } from './batch.js';
import { BUCKETS } from './entry.js';
import type { ValueStore } from './store.js';

const ALL = Array.from({ length: BUCKETS }, (_, bucket) => bucket);

/**
 * In pieces, so that whoever sends them may do something else between: what changes meanwhile is sent by itself.
 * @param bytes of a batch, nearly
 */
export function batchesOf(store: ValueStore, bytes: number): Generator<Buffer> {
  return batchesOfBuckets(store, ALL, bytes);
}

/** These buckets of all databases, and which databases were emptied when. @param bytes of a batch, nearly */
export function* batchesOfBuckets(store: ValueStore, buckets: Iterable<number>, bytes: number): Generator<Buffer> {
  const writer = new BatchWriter();
  const nothing = writer.length;
  for (let database = 0; database < store.databases; database++) {
    const flushed = store.flushedOf(database);
    if (flushed !== null) writer.flush(database, flushed);
  }
  for (const bucket of buckets) {
    for (let database = 0; database < store.databases; database++) {
      for (const { key, state } of store.bucket(database, bucket)) {
        let from = 0;
        do {
          from = writer.key(database, key, state, from);
          if (writer.length >= bytes) yield writer.take();
        } while (from > 0);
      }
    }
  }
  if (writer.length > nothing) yield writer.take();
}
