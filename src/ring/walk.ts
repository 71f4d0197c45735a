/** In which order nodes are walked while keys move between them. */
import { movedRoutes } from './moves.js';
import type { Ring } from './ring.js';

export interface Walk {
  /** The nodes' indices: each node stands before those that keys move to from it, as far as that is possible. */
  readonly order: readonly number[];
  /** Keys move in a circle (with `modula`, and where several weights change at once): no order is the right one. */
  readonly circular: boolean;
}

/**
 * @param nextRing the ring that follows, over the same nodes
 * @param order the nodes' indices, in the order they have where nothing moves between them
 */
export function walkWhileMoving(ring: Ring, nextRing: Ring, order: readonly number[]): Walk {
  const routes = movedRoutes(ring, nextRing);
  const walked: number[] = [];
  let left = [...order];
  let circular = false;
  while (left.length > 0) {
    const receiving = new Set(routes.flatMap(({ source, target }) => (left.includes(source) ? [target] : [])));
    const free = left.filter((node) => !receiving.has(node));
    if (free.length === 0) circular = true;
    const next = free.length > 0 ? free : left;
    walked.push(...next);
    left = left.filter((node) => !next.includes(node));
  }
  return { order: walked, circular };
}
