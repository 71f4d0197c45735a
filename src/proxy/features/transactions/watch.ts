import type { KeyHash } from '../../../ring/rings.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

/** The keys that a client watches, and the lane on which it does. */
export class Watch {
  readonly lane: Lane;
  /** Hashes of the keys; one that is watched twice stands here once. */
  readonly hashes = new Set<KeyHash>();
  /** Keys have changed hands: nobody at the node can tell any more whether they were written to. */
  broken = false;

  constructor(lane: Lane) {
    this.lane = lane;
  }

  /** Called with each snapshot. @param nodes index-aligned with the snapshot's */
  onPublish({ rings, moves }: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    if (this.broken || moves === null) return;
    this.broken = [...this.hashes].some(
      (hash) => rings.movesAway(hash) && nodes[rings.nextOwnerOf(hash)] !== this.lane.node,
    );
  }

  /** Whether a key that is watched changes hands. */
  moves({ rings }: RoutingSnapshot): boolean {
    return rings.isChanging && [...this.hashes].some((hash) => rings.movesAway(hash));
  }

  /** Whether each key that is watched is at the watch's node: on the way it goes, when keys move. */
  isInPlace({ rings, phase }: RoutingSnapshot, nodes: readonly UpstreamNode[]): boolean {
    return [...this.hashes].every((hash) => {
      const owner = phase === 'moving' ? rings.nextOwnerOf(hash) : rings.ownerOf(hash);
      return nodes[owner] === this.lane.node;
    });
  }
}
