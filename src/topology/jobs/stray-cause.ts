import type { Ring } from '../../ring/ring.js';

/** Why a key is on a node that does not own it, as far as it can be guessed. */
export type StrayCause =
  /** The node was restarted, and had none before. */
  | 'restart'
  /** Proxies that leave a node out while it does not answer would have put the key there. */
  | 'ejection'
  /** A script with undeclared keys, a writer past the proxy, another ring on the same nodes. */
  | 'other';

/** @param node index of the node on which the key of this hash was found */
export function likelyCause(ring: Ring, hash: number, node: number, cameBack: boolean): StrayCause {
  if (cameBack) return 'restart';
  return ownerWithout(ring, hash, ring.ownerOfHash(hash)) === node ? 'ejection' : 'other';
}

/** The owner of a hash if the node `left` had no points; -1 when no other one has any. */
function ownerWithout(ring: Ring, hash: number, left: number): number {
  const { points, owners } = ring;
  let at = lowerBound(points, hash);
  for (let i = 0; i < points.length; i++, at++) {
    const owner = owners[at % points.length] as number;
    if (owner !== left) return owner;
  }
  return -1;
}

/** Index of the first point that is not less. */
function lowerBound(points: Uint32Array, hash: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle] as number) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
