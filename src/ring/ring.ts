import { type HashFunction, type HashName, hashFunction } from './hash.js';
import type { NodeSpec } from './node-spec.js';

export interface RingOptions {
  readonly hash: HashName;
  readonly distribution: 'ketama';
  /** Two characters between which the hashed part of a key stands; empty: the whole key is hashed. */
  readonly hashTag: string;
  /** Points of a node of weight 1. */
  readonly vnodes: number;
  /**
   * `own`: a node's points depend on its own name and weight alone, so that a change moves keys only from
   * or to the nodes that change. `total`: ketama's and twemproxy's way, by the part of the total weight.
   */
  readonly weighting: 'own' | 'total';
}

/** With 4,096 points the fullest of 10 equal nodes holds 1.02 to 1.04 times the mean. */
export const DEFAULT_RING_OPTIONS: RingOptions = {
  hash: 'murmur3',
  distribution: 'ketama',
  hashTag: '{}',
  vnodes: 4096,
  weighting: 'own',
};

const HASH_SPACE = 2 ** 32;
/** Buckets of the index: about one a point, so that a lookup looks at one or two points. */
const LEAST_BUCKET_BITS = 8;
const MOST_BUCKET_BITS = 20;

/**
 * A generation's ring: points sorted by value, each with the node that owns the arc in front of it.
 * Immutable; lookups are on the key's bytes, in constant time, and allocate nothing.
 */
export class Ring {
  readonly nodes: readonly NodeSpec[];
  readonly options: RingOptions;
  /** Ascending. */
  readonly points: Uint32Array;
  /** For each point the index of its node in `nodes`. */
  readonly owners: Uint16Array;
  /** How many points each node has, by its index. */
  readonly pointCounts: Uint32Array;
  readonly #hash: HashFunction;
  /** For each value of a hash's upper bits the first point that may own such a hash. */
  readonly #index: Uint32Array;
  readonly #shift: number;
  /** The hash tag's characters; -1 when there is none. */
  readonly #open: number;
  readonly #close: number;

  constructor(nodes: readonly NodeSpec[], options: RingOptions, points: Uint32Array, owners: Uint16Array) {
    this.nodes = nodes;
    this.options = options;
    this.points = points;
    this.owners = owners;
    this.pointCounts = new Uint32Array(nodes.length);
    for (const owner of owners) (this.pointCounts[owner] as number)++;
    this.#hash = hashFunction(options.hash);
    this.#open = options.hashTag === '' ? -1 : options.hashTag.charCodeAt(0);
    this.#close = options.hashTag === '' ? -1 : options.hashTag.charCodeAt(1);
    let bits = LEAST_BUCKET_BITS;
    while (2 ** bits < points.length && bits < MOST_BUCKET_BITS) bits++;
    this.#shift = 32 - bits;
    this.#index = indexPoints(points, 2 ** bits, 2 ** this.#shift);
  }

  /** The hash of the key `buffer[start, end)`, or of what stands in its hash tag. */
  hashOf(buffer: Uint8Array, start: number, end: number): number {
    if (this.#open >= 0) {
      for (let from = start; from < end; from++) {
        if (buffer[from] !== this.#open) continue;
        // The first closing character behind the first opening one; an empty tag does not count.
        for (let to = from + 1; to < end; to++) {
          if (buffer[to] !== this.#close) continue;
          return to > from + 1 ? this.#hash(buffer, from + 1, to) : this.#hash(buffer, start, end);
        }
        break;
      }
    }
    return this.#hash(buffer, start, end);
  }

  /** The index of the node that owns the key `buffer[start, end)`. */
  ownerOf(buffer: Uint8Array, start: number, end: number): number {
    return this.ownerOfHash(this.hashOf(buffer, start, end));
  }

  /** The owner of a hash is the node of the first point that is not less than it; behind the last, the first. */
  ownerOfHash(hash: number): number {
    const { points } = this;
    const count = points.length;
    let at = this.#index[hash >>> this.#shift] as number;
    while (at < count && (points[at] as number) < hash) at++;
    return this.owners[at === count ? 0 : at] as number;
  }

  /** The part of the hash space that each node owns, by index; they add up to 1. */
  shares(): Float64Array {
    const shares = new Float64Array(this.nodes.length);
    const { points, owners } = this;
    const count = points.length;
    for (let i = 0; i < count; i++) {
      const before = i === 0 ? (points[count - 1] as number) - HASH_SPACE : (points[i - 1] as number);
      (shares[owners[i] as number] as number) += ((points[i] as number) - before) / HASH_SPACE;
    }
    return shares;
  }
}

function indexPoints(points: Uint32Array, buckets: number, width: number): Uint32Array {
  const index = new Uint32Array(buckets);
  let at = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    while (at < points.length && (points[at] as number) < bucket * width) at++;
    index[bucket] = at;
  }
  return index;
}
