/** All nodes' points in one sorted array, with an index that finds the owner of a hash in constant time. */
import { findSoleOwners, type SoleOwners, soleOwnerBits } from './sole-owners.js';

/** A node's points, in any order. */
export interface NodePoints {
  /** The node's index in the ring's `nodes`. */
  readonly owner: number;
  readonly points: Uint32Array;
}

export interface Continuum {
  /** Ascending. */
  readonly points: Uint32Array;
  /** For each point the index of its node. */
  readonly owners: Uint16Array;
  /** For each value of a hash's upper bits the first point that may own such a hash, or the number of points. */
  readonly starts: Uint32Array;
  /** A hash belongs to the bucket `hash >>> shift` of `starts`. */
  readonly shift: number;
  /** The short way for most hashes. */
  readonly soleOwners: SoleOwners;
  /** A hash belongs to the stretch `hash >>> soleShift` of `soleOwners`. */
  readonly soleShift: number;
}

/** About one bucket a point, so that a lookup looks at one or two points. */
const LEAST_BUCKET_BITS = 8;
const MOST_BUCKET_BITS = 22;
/** Points or buckets that are handled between two looks at the clock: well below a millisecond. */
const STRIDE = 16_384;

/**
 * Sorts the points by distributing them over the buckets of the index. md5 spreads them evenly, so a bucket
 * holds one or two: that takes linear time and, unlike `sort`, can be interrupted.
 * @param parts of equal points the one of the earlier part stands first, and so owns the hashes in front of it
 */
export function* buildContinuum(parts: readonly NodePoints[]): Generator<undefined, Continuum> {
  const total = parts.reduce((sum, part) => sum + part.points.length, 0);
  let bits = LEAST_BUCKET_BITS;
  while (2 ** bits < total && bits < MOST_BUCKET_BITS) bits++;
  const shift = 32 - bits;
  const starts = new Uint32Array(2 ** bits);
  for (const { points } of parts) {
    for (let from = 0; from < points.length; from += STRIDE) {
      countPoints(points, from, Math.min(from + STRIDE, points.length), starts, shift);
      yield;
    }
  }
  let sum = 0;
  for (let from = 0; from < starts.length; from += STRIDE) {
    sum = startBuckets(starts, from, Math.min(from + STRIDE, starts.length), sum);
    yield;
  }
  const sorted = { points: new Uint32Array(total), owners: new Uint16Array(total), starts, shift };
  const ends = starts.slice();
  for (const part of parts) {
    for (let from = 0; from < part.points.length; from += STRIDE) {
      placePoints(part, from, Math.min(from + STRIDE, part.points.length), sorted, ends);
      yield;
    }
  }
  const soleBits = soleOwnerBits(bits);
  const nodes = parts.reduce((most, { owner }) => Math.max(most, owner + 1), 0);
  return { ...sorted, soleOwners: yield* findSoleOwners(sorted, soleBits, nodes), soleShift: 32 - soleBits };
}

function countPoints(points: Uint32Array, from: number, to: number, counts: Uint32Array, shift: number): void {
  for (let i = from; i < to; i++) (counts[(points[i] as number) >>> shift] as number)++;
}

/** Replaces each bucket's count by the number of points in the buckets before it. @returns the next bucket's */
function startBuckets(counts: Uint32Array, from: number, to: number, before: number): number {
  let sum = before;
  for (let bucket = from; bucket < to; bucket++) {
    const count = counts[bucket] as number;
    counts[bucket] = sum;
    sum += count;
  }
  return sum;
}

/** @param ends for each bucket where its next point goes */
function placePoints(
  part: NodePoints,
  from: number,
  to: number,
  { points, owners, starts, shift }: Pick<Continuum, 'points' | 'owners' | 'starts' | 'shift'>,
  ends: Uint32Array,
): void {
  for (let i = from; i < to; i++) {
    const point = part.points[i] as number;
    const bucket = point >>> shift;
    const start = starts[bucket] as number;
    let at = (ends[bucket] as number)++;
    for (; at > start && (points[at - 1] as number) > point; at--) {
      points[at] = points[at - 1] as number;
      owners[at] = owners[at - 1] as number;
    }
    points[at] = point;
    owners[at] = part.owner;
  }
}
