import type { KeyState } from './key-state.js';

/** Keys are put in so many buckets by their hash: what SCAN walks over, and what proxies compare. The same everywhere. */
export const BUCKETS = 1024;

/** What an entry takes beside its key and its state, nearly: the object, and its places in the maps. Measured. Bytes. */
const ENTRY_BYTES = 280;

/** A key that a value was ever written to, as far as that is still known. */
export class Entry {
  readonly database: number;
  /** One character for each byte. */
  readonly key: string;
  readonly bucket: number;
  state: KeyState;
  /** The reply to GET; null: to be made. */
  reply: Buffer | null = null;
  /** Second in which it ends; NEVER. */
  second = Number.POSITIVE_INFINITY;
  /** As the store has counted it. */
  countedBytes = 0;
  isCounted = false;
  /** Which of the store's classes it counts for. */
  group = 0;
  /** Number of the last change to it. */
  change = 0;
  /** When that was, by the wall clock. Milliseconds since 1970. */
  changedAt = 0;
  /** Of what it holds; null: to be computed. */
  digest: number | null = null;

  constructor(database: number, key: string, state: KeyState) {
    this.database = database;
    this.key = key;
    this.bucket = bucketOf(key);
    this.state = state;
  }

  get bytes(): number {
    return ENTRY_BYTES + this.key.length + this.state.bytes;
  }
}

/** FNV-1a. */
function bucketOf(key: string): number {
  let mixed = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) mixed = Math.imul(mixed ^ key.charCodeAt(i), 0x01000193);
  return (mixed ^ (mixed >>> 15)) & (BUCKETS - 1);
}
