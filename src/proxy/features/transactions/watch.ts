import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

/** The keys that a client watches, and the lane on which it does. */
export class Watch {
  readonly lane: Lane;
  /** Hashes of the keys; one that is watched twice stands here once. */
  readonly hashes = new Set<number>();
  /** Keys have changed hands: nobody at the node can tell any more whether they were written to. */
  broken = false;

  constructor(lane: Lane) {
    this.lane = lane;
  }

  /** Called with each snapshot. @param nodes index-aligned with the snapshot's */
  onPublish({ ring, nextRing, moves }: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    if (this.broken || nextRing === null || moves === null) return;
    this.broken = [...this.hashes].some((hash) => {
      const next = nextRing.ownerOfHash(hash);
      return ring.ownerOfHash(hash) !== next && nodes[next] !== this.lane.node;
    });
  }

  /** Whether a key that is watched changes its owner from this snapshot's ring to the next. */
  moves({ ring, nextRing }: RoutingSnapshot): boolean {
    return nextRing !== null && [...this.hashes].some((hash) => ring.ownerOfHash(hash) !== nextRing.ownerOfHash(hash));
  }

  /** Whether each key that is watched is at the watch's node: on the way it goes, when keys move. */
  isInPlace({ ring, nextRing, phase }: RoutingSnapshot, nodes: readonly UpstreamNode[]): boolean {
    const current = phase !== 'moving' || nextRing === null ? ring : nextRing;
    return [...this.hashes].every((hash) => nodes[current.ownerOfHash(hash)] === this.lane.node);
  }
}
