/** What a client watches: on each node by a lane of its own. */
import type { KeyHash } from '../../../ring/rings.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

/** The keys of one node that a client watches, and the lane on which it does. */
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

/** All that a client watches. */
export class Watched {
  readonly watches: Watch[] = [];

  /** What it watches on this lane, which is its own. */
  on(lane: Lane): Watch {
    const known = this.watches.find((watch) => watch.lane === lane);
    if (known !== undefined) return known;
    const watch = new Watch(lane);
    this.watches.push(watch);
    return watch;
  }

  /** EXEC cannot go well any more. */
  get isVoid(): boolean {
    return this.watches.some(({ broken, lane }) => broken || lane.closed);
  }

  /** Keys that it watches have changed hands. */
  get isBroken(): boolean {
    return this.watches.some(({ broken }) => broken);
  }

  /** What it watches at this node, or undefined. */
  at(node: UpstreamNode): Watch | undefined {
    return this.watches.find(({ lane }) => lane.node === node);
  }

  /** Whether all that it watches is at this node. */
  isOnlyAt(node: UpstreamNode | undefined): boolean {
    return this.watches.every(({ lane }) => lane.node === node);
  }
}
