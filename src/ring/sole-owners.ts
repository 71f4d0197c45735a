/**
 * A short way to the owner of a hash: most stretches of the hash space have one owner alone, whatever points lie in
 * them. To find it there takes one look into memory instead of three that each wait for the one before, in a table that
 * stays in a small cache of the processor's.
 */
import type { Continuum } from './continuum.js';

/** For each value of a hash's upper bits the owner of all such hashes plus 1; 0: there are several. */
export type SoleOwners = Uint8Array | Uint16Array;

/** Stretches for each bucket of the continuum's index, as a power of 2: with 3 nodes 7 of 8 then have one owner. */
const FINER_BITS = 2;
const MOST_BITS = 20;
/** Stretches that are handled between two looks at the clock: well below a millisecond. */
const STRIDE = 16_384;
/** Nodes whose indices plus 1 fit into a byte. */
const FEW_NODES = 255;

/** @returns how many of a hash's upper bits tell a stretch */
export function soleOwnerBits(bucketBits: number): number {
  return Math.min(MOST_BITS, bucketBits + FINER_BITS);
}

/** A table without any owner. @param nodes how many there are at most */
export function noSoleOwners(stretches: number, nodes: number): SoleOwners {
  return nodes <= FEW_NODES ? new Uint8Array(stretches) : new Uint16Array(stretches);
}

/** @param points ascending @param owners of the points @param bits as of `soleOwnerBits` @param nodes how many there are at most */
export function* findSoleOwners(
  { points, owners }: Pick<Continuum, 'points' | 'owners'>,
  bits: number,
  nodes: number,
): Generator<undefined, SoleOwners> {
  const soleOwners = noSoleOwners(2 ** bits, nodes);
  const count = points.length;
  if (count === 0) return soleOwners;
  const width = 2 ** (32 - bits);
  let at = 0;
  for (let stretch = 0; stretch < soleOwners.length; stretch++) {
    if (stretch % STRIDE === 0) yield;
    const end = (stretch + 1) * width;
    const owner = owners[at === count ? 0 : at] as number;
    let isSole = true;
    for (; at < count && (points[at] as number) < end; at++) isSole &&= owners[at] === owner;
    // Hashes behind the last point in here are owned by the next one.
    if (isSole && owners[at === count ? 0 : at] === owner) soleOwners[stretch] = owner + 1;
  }
  return soleOwners;
}
