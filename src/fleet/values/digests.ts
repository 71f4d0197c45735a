/**
 * What two stores compare to find out where they differ: a number for each bucket, made of what clients see of its keys.
 * What is kept only so that something deleted does not come back is left out, since each store drops that when it likes.
 * FNV-1a, twice, with different beginnings; numbers of the parts are added up, so their order does not count.
 */
import type { Stamp } from '../crdt/hybrid-clock.js';
import { BUCKETS, type Entry } from './entry.js';
import { isIn, type KeyState, NEVER } from './key-state.js';
import type { ValueStore } from './store.js';

const PRIME = 0x01000193;
const LOW = 0x811c9dc5;
const HIGH = 0x9e3779b1;
/** Together a safe integer. */
const HIGH_BITS = 0x1fffff;
const TWO_TO_32 = 4_294_967_296;

class Mix {
  #low = LOW;
  #high = HIGH;
  #lowSum = 0;
  #highSum = 0;

  text(text: string): this {
    for (let i = 0; i < text.length; i++) this.#byte(text.charCodeAt(i));
    this.#byte(0x100);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    for (const byte of bytes) this.#byte(byte);
    return this;
  }

  stamp([wall, count, actor]: Stamp): this {
    return this.text(`${wall}.${count}.${actor}`);
  }

  /** What was mixed is one part. */
  end(): void {
    this.#lowSum = (this.#lowSum + (this.#low ^ (this.#low >>> 13))) >>> 0;
    this.#highSum = (this.#highSum + (this.#high ^ (this.#high >>> 13))) >>> 0;
    this.#low = LOW;
    this.#high = HIGH;
  }

  get sum(): number {
    return (this.#highSum & HIGH_BITS) * TWO_TO_32 + this.#lowSum;
  }

  #byte(byte: number): void {
    this.#low = Math.imul(this.#low ^ byte, PRIME);
    this.#high = Math.imul(this.#high ^ byte, PRIME);
  }
}

/** Of every bucket, over all databases. */
export function bucketDigests(store: ValueStore): number[] {
  return Array.from({ length: BUCKETS }, (_, bucket) => {
    let low = 0;
    let high = 0;
    for (let database = 0; database < store.databases; database++) {
      for (const entry of store.bucket(database, bucket)) {
        entry.digest ??= digestOf(entry);
        // Apart, since their sum would not be exact, and so would depend on the order.
        low = (low + (entry.digest % TWO_TO_32)) % TWO_TO_32;
        high = (high + Math.floor(entry.digest / TWO_TO_32)) & HIGH_BITS;
      }
    }
    return high * TWO_TO_32 + low;
  });
}

/** Of everything: of the buckets, and of which databases were emptied when. */
export function rootDigest(store: ValueStore, buckets: readonly number[]): number {
  const mix = new Mix();
  mix.text(buckets.join()).end();
  for (let database = 0; database < store.databases; database++) {
    const flushed = store.flushedOf(database);
    if (flushed !== null) mix.text(`${database}`).stamp(flushed).end();
  }
  return mix.sum;
}

function digestOf({ database, key, state }: Entry): number {
  if (!state.isLive) return 0;
  const mix = new Mix();
  const part = (name: string): Mix => mix.text(`${database}${name}`).text(key);
  mixString(state, part);
  if (state.expiry !== null && state.expiry.at !== NEVER) {
    part('e').stamp(state.expiry.stamp).text(`${state.expiry.at}`).end();
  }
  for (const [element, additions] of state.elements ?? []) {
    for (const addition of additions) {
      if (isIn(addition) && addition.added !== null) part('s').text(element).stamp(addition.added).end();
    }
  }
  return mix.sum;
}

function mixString({ reset, base, counts }: KeyState, part: (name: string) => Mix): void {
  if (reset !== null && base !== null) part('b').stamp(reset).bytes(base).end();
  for (const { began, added, taken } of counts?.values() ?? []) part('c').stamp(began).text(`${added},${taken}`).end();
}
