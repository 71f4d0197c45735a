import type { Ring } from './ring.js';

/** The owner of a hash if the node `left` had no points; -1 when no other one has any. */
export function ownerWithout(ring: Ring, hash: number, left: number): number {
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
