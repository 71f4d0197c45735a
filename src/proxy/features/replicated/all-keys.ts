/** Commands about all keys of a database: what they say of replicated ones. */
import { BUCKETS, type Entry } from '../../../fleet/values/entry.js';
import { array, bulk, integer, nullBulk, OK } from '../../../resp/encode.js';
import { matchesGlob } from '../../../resp/glob.js';
import type { Call, Operation } from './call.js';

export const dbsize: Operation = (call) => integer(call.store.sizeOf(call.database));

export const keys: Operation = (call) => {
  const pattern = Buffer.from(call.bytesAt(1));
  const found: Buffer[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (const entry of call.store.bucket(call.database, bucket)) {
      const key = keyOf(call, entry);
      if (key !== null && matchesGlob(pattern, key)) found.push(bulk(key));
    }
  }
  return array(found);
};

export const randomkey: Operation = (call) => {
  const first = Math.floor(Math.random() * BUCKETS);
  for (let i = 0; i < BUCKETS; i++) {
    const there: Buffer[] = [];
    for (const entry of call.store.bucket(call.database, (first + i) % BUCKETS)) {
      const key = keyOf(call, entry);
      if (key !== null) there.push(key);
    }
    const drawn = there[Math.floor(Math.random() * there.length)];
    if (drawn !== undefined) return bulk(drawn);
  }
  return nullBulk(call.protocol);
};

/** SYNC and ASYNC are the same here; for anything else the nodes have the error. */
const isFlush = (call: Call): boolean => call.argc === 1 || (call.argc === 2 && /^a?sync$/.test(call.word(1)));

export const flushdb: Operation = (call) => {
  if (isFlush(call)) call.store.flush(call.database);
  return OK;
};

export const flushall: Operation = (call) => {
  if (isFlush(call)) call.store.flushAll();
  return OK;
};

/** @returns the bytes of its key; null: it holds no value now, or none that clients see */
export function keyOf(call: Call, { database, key }: Entry): Buffer | null {
  if (call.store.find(database, key) === null) return null;
  const bytes = Buffer.from(key, 'latin1');
  return call.isHere(bytes) ? bytes : null;
}
