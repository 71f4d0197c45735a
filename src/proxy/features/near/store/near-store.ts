/**
 * Kept replies, found by the frames that ask for them and by their keys, in one piece of memory of a fixed size.
 *
 *   frames   bucket ─▶ record ─▶ record         what a read looks up
 *   keys     bucket ─▶ record ⇄ record          what a change of a key ends
 *   small    │ a tenth of the memory: what is new; what was not read again leaves by its tail
 *   main     │ the rest: what was; at its tail, what was read since goes to the head once more
 *
 * Eviction is S3-FIFO (Yang et al., SOSP 2023: FIFO queues are all you need for cache eviction): two queues, two bits
 * for each record, and the fingerprints of what has left `small` lately, which come to `main` at once when they return.
 * A hit moves nothing.
 */
import { copyBytes } from '../../../../resp/bytes.js';
import { lastingBytes, wordsToRead } from '../../../../resp/words.js';
import { murmur3 } from '../../../../ring/hashes/murmur.js';
import { Fingerprints } from './fingerprints.js';
import {
  DEAD,
  FRAME_HASH,
  GROUP,
  HEADER,
  KEY_HASH,
  KIND,
  LENGTH,
  LIVE,
  MOST_READS,
  NEXT_FRAME,
  NEXT_KEY,
  NONE,
  PREVIOUS_KEY,
  REPLY_LENGTH,
  REST_LENGTH,
  recordLength,
  STATE,
} from './record.js';
import { RecordLog } from './record-log.js';

const SMALL_PART = 0.1;
/** One bucket, of frames and of keys, for so many bytes. */
const BYTES_A_BUCKET = 256;
const GHOSTS = 65_536;
/** Larger replies are passed on as they come, and nobody has them whole. */
const MOST_RECORD_BYTES = 262_144;
/** No record may take more of the small queue. */
const RECORD_PART = 0.25;
const MOST_GROUPS = 256;
const GOLDEN = 0x9e3779b9 | 0;

/** What a reply is kept by. */
export interface KeptRead {
  readonly hash: number;
  readonly kind: number;
  readonly keyHash: number;
  readonly group: number;
  /** Its first `restLength` bytes are what the frame has behind the command's name. */
  readonly rest: Uint8Array;
  readonly restLength: number;
}

/** What is the same for a kept reply and the read that asks for it, beside the frame's bytes. */
export function kindOf(command: number, protocol: number, database: number): number {
  return (command << 12) | (database << 1) | (protocol - 2);
}

/** The hash of a read. @param kind of `kindOf` @param start where the frame goes on behind the command's name */
export function readHashOf(kind: number, source: Uint8Array, start: number, end: number): number {
  return murmur3(source, start, end) ^ Math.imul(kind, GOLDEN);
}

/** The hash of a key, by which what is kept of it is found. */
export function keyHashOf(source: Uint8Array, start: number, end: number): number {
  return murmur3(source, start, end) | 0;
}

export class NearStore {
  /** The records' headers. Whoever finds a record reads them, and may write those that are said to be theirs. */
  readonly numbers: Int32Array;
  /** The same memory by 64 bits: the number at index n is at n / 2. */
  readonly times: Float64Array;
  /** The same memory by bytes. */
  readonly bytes: Buffer;
  /** The same memory by words. */
  readonly words: DataView;
  readonly #frames: Int32Array;
  readonly #keys: Int32Array;
  readonly #mask: number;
  readonly #small: RecordLog;
  readonly #main: RecordLog;
  readonly #ghosts = new Fingerprints(GHOSTS);
  readonly #mostNumbers: number;
  /** One that goes from one queue's tail to a head. */
  readonly #moving: Int32Array;
  readonly #entriesOf = new Float64Array(MOST_GROUPS);
  readonly #bytesOf = new Float64Array(MOST_GROUPS);
  #entries = 0;
  #usedBytes = 0;
  #evictions = 0;
  /** The bucket that is looked at next. */
  #swept = 0;

  /** @param size bytes that it may take, all told; 64 KB at least */
  constructor(size: number) {
    const buckets = 2 ** Math.max(6, Math.floor(Math.log2(size / BYTES_A_BUCKET)));
    this.#frames = new Int32Array(buckets);
    this.#keys = new Int32Array(buckets);
    this.#mask = buckets - 1;
    const numbers = Math.floor((size - 8 * buckets) / 8) * 2;
    this.bytes = lastingBytes(numbers * 4);
    this.words = new DataView(this.bytes.buffer, this.bytes.byteOffset, numbers * 4);
    this.numbers = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, numbers);
    this.times = new Float64Array(this.bytes.buffer, this.bytes.byteOffset, numbers >> 1);
    // Nothing begins at 0.
    const middle = 2 + (Math.floor(((numbers - 2) * SMALL_PART) / 2) << 1);
    this.#small = new RecordLog(this.numbers, 2, middle);
    this.#main = new RecordLog(this.numbers, middle, numbers);
    this.#mostNumbers = Math.min(MOST_RECORD_BYTES >> 2, Math.floor(this.#small.capacity * RECORD_PART));
    this.#moving = new Int32Array(this.#mostNumbers);
  }

  /** Replies that are kept. */
  get entries(): number {
    return this.#entries;
  }

  /** Bytes that they take. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Replies that had to make room. */
  get evictions(): number {
    return this.#evictions;
  }

  entriesOf(group: number): number {
    return this.#entriesOf[group] ?? 0;
  }

  bytesOf(group: number): number {
    return this.#bytesOf[group] ?? 0;
  }

  /** @returns the record of the read, or NONE */
  find(hash: number, kind: number, source: Uint8Array, start: number, end: number): number {
    const { numbers } = this;
    let record = this.#frames[hash & this.#mask] as number;
    while (record !== NONE) {
      if (
        numbers[record + FRAME_HASH] === hash &&
        numbers[record + KIND] === kind &&
        numbers[record + REST_LENGTH] === end - start &&
        this.#holds((record + HEADER) * 4, source, start, end)
      ) {
        return record;
      }
      record = numbers[record + NEXT_FRAME] as number;
    }
    return NONE;
  }

  /** It was read: that keeps it longer. */
  touch(record: number): void {
    const state = this.numbers[record + STATE] as number;
    if (state < LIVE + MOST_READS) this.numbers[record + STATE] = state + 1;
  }

  /** Where its reply begins in `bytes`. */
  replyStart(record: number): number {
    return (record + HEADER) * 4 + (this.numbers[record + REST_LENGTH] as number);
  }

  replyEnd(record: number): number {
    return this.replyStart(record) + (this.numbers[record + REPLY_LENGTH] as number);
  }

  /**
   * Whether the record is of a read with this hash and kind, and its reply is `buffer[start, end)`. Another read may have
   * the same hash: then it is not said that both are the same.
   */
  says(record: number, hash: number, kind: number, buffer: Uint8Array, start: number, end: number): boolean {
    const { numbers } = this;
    if (numbers[record + FRAME_HASH] !== hash || numbers[record + KIND] !== kind) return false;
    return numbers[record + REPLY_LENGTH] === end - start && this.#holds(this.replyStart(record), buffer, start, end);
  }

  /** Whether a reply of so many bytes can be kept. */
  takes(restBytes: number, replyBytes: number): boolean {
    return recordLength(restBytes, replyBytes) <= this.#mostNumbers;
  }

  /**
   * Keeps `buffer[start, end)` as the reply to a read, in the place of one that is kept already.
   * @returns its record, of which the caller writes what is not said here; NONE: it is too large
   */
  add(
    { hash, kind, keyHash, group, rest, restLength }: KeptRead,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number {
    if (!this.takes(restLength, end - start)) return NONE;
    const before = this.find(hash, kind, rest, 0, restLength);
    if (before !== NONE) this.end(before);
    const length = recordLength(restLength, end - start);
    const record = this.#ghosts.has(hash) ? this.#roomInMain(length) : this.#roomInSmall(length);
    if (record === NONE) return NONE;
    const { numbers } = this;
    numbers[record + STATE] = LIVE;
    numbers[record + FRAME_HASH] = hash;
    numbers[record + KEY_HASH] = keyHash;
    numbers[record + KIND] = kind;
    numbers[record + GROUP] = group;
    numbers[record + REST_LENGTH] = restLength;
    numbers[record + REPLY_LENGTH] = end - start;
    const at = (record + HEADER) * 4;
    copyBytes(this.bytes, this.words, at, rest, 0, restLength);
    copyBytes(this.bytes, this.words, at + restLength, buffer, start, end);
    this.#link(record);
    this.#count(record, 1);
    return record;
  }

  /** Ends a record: it is not found any more. */
  end(record: number): void {
    this.#unlink(record);
    this.#count(record, -1);
    this.numbers[record + STATE] = DEAD;
  }

  /** Ends all of a key, and perhaps of another one. @returns how many there were */
  endKey(keyHash: number): number {
    let ended = 0;
    let record = this.firstOfKey(keyHash);
    while (record !== NONE) {
      const next = this.nextOfKey(record);
      this.end(record);
      ended++;
      record = next;
    }
    return ended;
  }

  /** The first record of a key, or NONE. */
  firstOfKey(keyHash: number): number {
    return this.#sameKey(this.#keys[keyHash & this.#mask] as number, keyHash);
  }

  /** The next one of the same key, or NONE. */
  nextOfKey(record: number): number {
    return this.#sameKey(this.numbers[record + NEXT_KEY] as number, this.numbers[record + KEY_HASH] as number);
  }

  /** Nothing is kept any more. */
  clear(): void {
    this.#frames.fill(NONE);
    this.#keys.fill(NONE);
    this.#small.clear();
    this.#main.clear();
    this.#entriesOf.fill(0);
    this.#bytesOf.fill(0);
    this.#entries = 0;
    this.#usedBytes = 0;
  }

  /** Ends what is over of some buckets, each time of others, so that nothing is counted for long that nobody can get. */
  sweep(buckets: number, isOver: (record: number) => boolean): void {
    for (let i = 0; i < buckets; i++) {
      let record = this.#frames[this.#swept] as number;
      this.#swept = (this.#swept + 1) & this.#mask;
      while (record !== NONE) {
        const next = this.numbers[record + NEXT_FRAME] as number;
        if (isOver(record)) this.end(record);
        record = next;
      }
    }
  }

  /** Called now and then: what has left the small queue long ago is forgotten. */
  forgetGhosts(): void {
    this.#ghosts.turn();
  }

  #sameKey(from: number, keyHash: number): number {
    let record = from;
    while (record !== NONE && this.numbers[record + KEY_HASH] !== keyHash) {
      record = this.numbers[record + NEXT_KEY] as number;
    }
    return record;
  }

  /** Whether what it has from byte `at` on is `source[start, end)`. */
  #holds(at: number, source: Uint8Array, start: number, end: number): boolean {
    const words = wordsToRead(source);
    if (words === null || end - start < 4) {
      for (let i = start; i < end; i++) if (this.bytes[at + i - start] !== source[i]) return false;
      return true;
    }
    const own = this.words;
    const last = end - 4;
    const shift = at - start;
    for (let i = start; i < last; i += 4) if (own.getInt32(i + shift, true) !== words.getInt32(i, true)) return false;
    return own.getInt32(last + shift, true) === words.getInt32(last, true);
  }

  #roomInSmall(length: number): number {
    for (;;) {
      const at = this.#small.reserve(length);
      if (at !== NONE) return at;
      const oldest = this.#small.take();
      if (oldest === NONE) return NONE;
      const state = this.numbers[oldest + STATE] as number;
      if (state === DEAD) continue;
      if (state > LIVE) this.#moveToMain(oldest);
      else {
        this.#ghosts.add(this.numbers[oldest + FRAME_HASH] as number);
        this.#evict(oldest);
      }
    }
  }

  #roomInMain(length: number): number {
    for (;;) {
      const at = this.#main.reserve(length);
      if (at !== NONE) return at;
      const oldest = this.#main.take();
      if (oldest === NONE) return NONE;
      const state = this.numbers[oldest + STATE] as number;
      if (state === DEAD) continue;
      if (state === LIVE) {
        this.#evict(oldest);
        continue;
      }
      this.#toHead(oldest, state - 1);
    }
  }

  /** One that the small queue has given up, and that was read again. */
  #moveToMain(record: number): void {
    const length = this.numbers[record + LENGTH] as number;
    this.#unlink(record);
    this.#count(record, -1);
    const at = this.#roomInMain(length);
    if (at === NONE) return;
    // What it leaves lies in the other queue's memory, and is whole.
    this.numbers.copyWithin(at, record, record + length);
    this.numbers[at + STATE] = LIVE;
    this.#link(at);
    this.#count(at, 1);
  }

  /** One that the main queue has given up, and that was read since, is its newest once more. */
  #toHead(record: number, state: number): void {
    const length = this.numbers[record + LENGTH] as number;
    this.#unlink(record);
    // The place that it gets may overlap the one that it has.
    const copy = this.#moving.subarray(0, length);
    copy.set(this.numbers.subarray(record, record + length));
    const at = this.#main.reserve(length);
    if (at === NONE) {
      this.#count(record, -1);
      this.#evictions++;
      return;
    }
    this.numbers.set(copy, at);
    this.numbers[at + STATE] = state;
    this.#link(at);
  }

  #evict(record: number): void {
    this.end(record);
    this.#evictions++;
  }

  #link(record: number): void {
    const { numbers } = this;
    const frame = (numbers[record + FRAME_HASH] as number) & this.#mask;
    numbers[record + NEXT_FRAME] = this.#frames[frame] as number;
    this.#frames[frame] = record;
    const key = (numbers[record + KEY_HASH] as number) & this.#mask;
    const next = this.#keys[key] as number;
    numbers[record + NEXT_KEY] = next;
    numbers[record + PREVIOUS_KEY] = NONE;
    if (next !== NONE) numbers[next + PREVIOUS_KEY] = record;
    this.#keys[key] = record;
  }

  #unlink(record: number): void {
    const { numbers } = this;
    const frame = (numbers[record + FRAME_HASH] as number) & this.#mask;
    const next = numbers[record + NEXT_FRAME] as number;
    let before = this.#frames[frame] as number;
    if (before === record) this.#frames[frame] = next;
    else {
      while (numbers[before + NEXT_FRAME] !== record) before = numbers[before + NEXT_FRAME] as number;
      numbers[before + NEXT_FRAME] = next;
    }
    const nextOfKey = numbers[record + NEXT_KEY] as number;
    const previous = numbers[record + PREVIOUS_KEY] as number;
    if (previous === NONE) this.#keys[(numbers[record + KEY_HASH] as number) & this.#mask] = nextOfKey;
    else numbers[previous + NEXT_KEY] = nextOfKey;
    if (nextOfKey !== NONE) numbers[nextOfKey + PREVIOUS_KEY] = previous;
  }

  #count(record: number, sign: 1 | -1): void {
    const bytes = sign * 4 * (this.numbers[record + LENGTH] as number);
    const group = this.numbers[record + GROUP] as number;
    this.#entries += sign;
    this.#usedBytes += bytes;
    (this.#entriesOf[group] as number) += sign;
    (this.#bytesOf[group] as number) += bytes;
  }
}
