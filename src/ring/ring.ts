import type { Continuum } from './continuum.js';
import { type HashFunction, type HashName, hashFunction } from './hash.js';
import { tagEnd, tagStart } from './hash-tag.js';
import type { NodeSpec } from './node-spec.js';
import type { SoleOwners } from './sole-owners.js';
import { TagPatterns } from './tag-patterns.js';

export const DISTRIBUTIONS = ['ketama', 'modula'] as const;
export const WEIGHTINGS = ['own', 'total'] as const;
/** Points of a node of weight 1. */
export const MOST_VNODES = 65_536;
/** What `hashTag` may be. */
export const HASH_TAG = /^(?:[\x21-\x7e]{2})?$/;
export const HASH_TAG_RULE = 'two characters, such as {}, or an empty text';

export interface RingOptions {
  readonly hash: HashName;
  /** `ketama`: a hash belongs to the next point on the ring; `modula`: to a slot, by division (see `modula.ts`). */
  readonly distribution: (typeof DISTRIBUTIONS)[number];
  /** Two characters between which the hashed part of a key stands; empty: the whole key is hashed. */
  readonly hashTag: string;
  /** Which part of a key without a hash tag is hashed (see `tag-pattern.ts`); missing: all of it. */
  readonly hashTags?: readonly string[] | undefined;
  /** Points of a node of weight 1. */
  readonly vnodes: number;
  /**
   * `own`: a node's points depend on its own name and weight alone, so that a change moves keys only from
   * or to the nodes that change. `total`: ketama's and twemproxy's way, by the part of the total weight.
   */
  readonly weighting: (typeof WEIGHTINGS)[number];
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

/**
 * A generation's ring: points sorted by value, each with the node that owns the arc in front of it.
 * Immutable; lookups are on the key's bytes, in constant time, and allocate nothing.
 */
export class Ring {
  readonly nodes: readonly NodeSpec[];
  readonly options: RingOptions;
  /** Ascending; none with `modula`. */
  readonly points: Uint32Array;
  /** For each point, or slot of `modula`, the index of its node in `nodes`. */
  readonly owners: Uint16Array;
  /** How many points or slots each node has, by its index. */
  readonly pointCounts: Uint32Array;
  /** What the lookups use; rings over other lists of nodes share it (see `overNodes`). */
  readonly continuum: Continuum;
  readonly #soleOwners: SoleOwners;
  readonly #soleShift: number;
  readonly #starts: Uint32Array;
  readonly #shift: number;
  readonly #hash: HashFunction;
  /** Slots of `modula`; 0 on a ring with points. */
  readonly #slots: number;
  /** The hash tag's characters; -1 when there is none. */
  readonly #open: number;
  readonly #close: number;
  /** Null when there are none. */
  readonly #patterns: TagPatterns | null;
  #shares: readonly number[] | null = null;

  constructor(nodes: readonly NodeSpec[], options: RingOptions, continuum: Continuum) {
    this.nodes = nodes;
    this.options = options;
    this.points = continuum.points;
    this.owners = continuum.owners;
    this.continuum = continuum;
    this.pointCounts = new Uint32Array(nodes.length);
    for (let i = 0; i < this.owners.length; i++) (this.pointCounts[this.owners[i] as number] as number)++;
    this.#soleOwners = continuum.soleOwners;
    this.#soleShift = continuum.soleShift;
    this.#starts = continuum.starts;
    this.#shift = continuum.shift;
    this.#hash = hashFunction(options.hash);
    this.#slots = options.distribution === 'modula' ? this.owners.length : 0;
    this.#open = options.hashTag === '' ? -1 : options.hashTag.charCodeAt(0);
    this.#close = options.hashTag === '' ? -1 : options.hashTag.charCodeAt(1);
    const { hashTags = [] } = options;
    this.#patterns = hashTags.length === 0 ? null : new TagPatterns(hashTags, this.#hash);
  }

  /** The hash of the key `buffer[start, end)`, or of what its hash tag or a pattern says that is to be hashed. */
  hashOf(buffer: Uint8Array, start: number, end: number): number {
    if (this.#open >= 0) {
      const from = tagStart(buffer, start, end, this.#open);
      const to = from < 0 ? -1 : tagEnd(buffer, from, end, this.#close);
      if (to >= 0) return this.#hash(buffer, from, to);
    }
    return this.#patterns === null ? this.#hash(buffer, start, end) : this.#patterns.hashOf(buffer, start, end);
  }

  /** The index of the node that owns the key `buffer[start, end)`. */
  ownerOf(buffer: Uint8Array, start: number, end: number): number {
    return this.ownerOfHash(this.hashOf(buffer, start, end));
  }

  /** The owner of a hash is the node of the first point that is not less than it; behind the last, the first. */
  ownerOfHash(hash: number): number {
    if (this.#slots > 0) return this.owners[hash % this.#slots] as number;
    const sole = this.#soleOwners[hash >>> this.#soleShift] as number;
    return sole > 0 ? sole - 1 : this.#ownerByPoints(hash);
  }

  #ownerByPoints(hash: number): number {
    const { points } = this;
    const count = points.length;
    let at = this.#starts[hash >>> this.#shift] as number;
    while (at < count && (points[at] as number) < hash) at++;
    return this.owners[at === count ? 0 : at] as number;
  }

  /**
   * The part of the hash space that each node owns, by index; they add up to 1. Summed up once, when first asked for:
   * a large ring has 400,000 points, and every scrape of the metrics asks several times.
   */
  shares(): readonly number[] {
    this.#shares ??= this.#sumShares();
    return this.#shares;
  }

  #sumShares(): number[] {
    if (this.#slots > 0) return Array.from(this.pointCounts, (slots) => slots / this.#slots);
    const shares = new Array<number>(this.nodes.length).fill(0);
    const { points, owners } = this;
    const count = points.length;
    for (let i = 0; i < count; i++) {
      const before = i === 0 ? (points[count - 1] as number) - HASH_SPACE : (points[i - 1] as number);
      (shares[owners[i] as number] as number) += ((points[i] as number) - before) / HASH_SPACE;
    }
    return shares;
  }
}
