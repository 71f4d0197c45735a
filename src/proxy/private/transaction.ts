/**
 * What a client has queued between MULTI and EXEC, and what it watches.
 *
 *   MULTI             answered here
 *   SET {a}1 x        checked, copied, answered +QUEUED here
 *   EXEC              MULTI, the frames and EXEC go to the owner in one piece
 *
 * Nothing of a transaction is at a node before EXEC, so it runs on whichever node owns its keys then, and a client
 * that leaves, or a ring that changes, finds nothing there to be cleared. Since its frames stand one behind the
 * other, it needs no connection of its own either. WATCH does: its keys belong to a connection.
 */
import type { RoutingSnapshot } from '../snapshot.js';
import type { Lane } from '../upstream/lane.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import type { ForEveryNode } from './other-nodes.js';
import type { OwnCommand } from './own-answers.js';

/** What stands between MULTI and EXEC. */
export class Transaction {
  readonly frames: Buffer[] = [];
  /** Hashes of the keys, in the order of the frames. */
  readonly hashes: number[] = [];
  /** The keys themselves, as parts of the frames. */
  readonly keys: Buffer[] = [];
  /** Which of the commands are SELECT, by their position. */
  readonly selects: { readonly at: number; readonly database: number }[] = [];
  /** Those that concern every node: the other nodes get them when EXEC went well. */
  readonly everywhere: ForEveryNode[] = [];
  /** What of that the proxy does itself, then. */
  readonly ownParts: (() => void)[] = [];
  /** Those that the proxy answers. */
  readonly answeredHere: OwnCommand[] = [];
  /** Digests of the scripts that it calls. */
  readonly digests: string[] = [];
  /** It calls scripts or functions. */
  runsCode = false;
  flushesScripts = false;
  /** It has FLUSHALL or FLUSHDB: no key may be on its way from one node to another while it runs. */
  flushesKeys = false;
  /** It has COPY with DB, or MOVE. */
  writesOtherDatabases = false;
  /** The node that was too busy for one of the commands; null: none was. */
  refusedBy: UpstreamNode | null = null;
  /** One of its commands may write. */
  writes = false;
  bytes = 0;
  /** A command could not be queued: EXEC answers EXECABORT. */
  aborted = false;

  abort(): void {
    this.aborted = true;
    this.frames.length = 0;
    this.keys.length = 0;
    this.hashes.length = 0;
    this.everywhere.length = 0;
    this.ownParts.length = 0;
    this.answeredHere.length = 0;
  }
}

/** The keys that a client watches, and the lane on which it does. */
export class Watch {
  readonly lane: Lane;
  /** Hashes of the keys. */
  readonly hashes: number[] = [];
  /** Keys have changed hands: nobody at the node can tell any more whether they were written to. */
  broken = false;

  constructor(lane: Lane) {
    this.lane = lane;
  }

  /** Called with each snapshot. @param nodes index-aligned with the snapshot's */
  onPublish({ ring, nextRing, moves }: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    if (this.broken || nextRing === null || moves === null) return;
    this.broken = this.hashes.some((hash) => {
      const next = nextRing.ownerOfHash(hash);
      return ring.ownerOfHash(hash) !== next && nodes[next] !== this.lane.node;
    });
  }

  /** Whether a key that is watched changes its owner from this snapshot's ring to the next. */
  moves({ ring, nextRing }: RoutingSnapshot): boolean {
    return nextRing !== null && this.hashes.some((hash) => ring.ownerOfHash(hash) !== nextRing.ownerOfHash(hash));
  }

  /** Whether each key that is watched is at the watch's node: on the way it goes, when keys move. */
  isInPlace({ ring, nextRing, phase }: RoutingSnapshot, nodes: readonly UpstreamNode[]): boolean {
    const current = phase !== 'moving' || nextRing === null ? ring : nextRing;
    return this.hashes.every((hash) => nodes[current.ownerOfHash(hash)] === this.lane.node);
  }
}
