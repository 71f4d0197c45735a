import type { MoveWaiter } from '../../../key-moves.js';
import { ON_TARGET, routeMovedKey } from '../../../route/moving/moved-key.js';
import type { Router } from '../../../route/router.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';

/**
 * The node on which the key's commands run now.
 * @param waiter is resumed when the key has arrived; whoever waits for the ring goes on with the next snapshot
 * @returns null while the key is changing hands
 */
export function nodeNow(router: Router, database: number, key: Buffer, waiter: MoveWaiter): UpstreamNode | null {
  const { snapshot } = router;
  if (snapshot === null) return null;
  const { rings, moves } = snapshot;
  const hash = rings.hashOf(key, 0, key.length);
  const owner = rings.ownerOf(hash);
  const next = rings.nextOwnerOf(hash);
  if (next === owner) return router.nodeAt(owner);
  const settled = moves?.isSettled(owner, database, key, 0, key.length) === true;
  if (routeMovedKey(moves !== null, settled, false, 0) === ON_TARGET) return router.nodeAt(next);
  moves?.settle(owner, next, database, key, waiter);
  return null;
}
