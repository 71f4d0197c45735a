/** Where a transaction runs. */
import type { Router } from '../../route/router.js';
import { GAVE_UP, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Transaction } from './transaction.js';
import type { Watch } from './watch.js';

/** The keys of the transaction have several owners. */
export const SEVERAL = -3;
/** Keys move, and the transaction has keys of several databases. */
export const IN_CHANGE = -4;

/** @returns the index of the node, or WAIT, GAVE_UP, SEVERAL, IN_CHANGE */
export function ownerOf(
  router: Router,
  client: ClientConnection,
  transaction: Transaction,
  watch: Watch | null,
  { rings }: RoutingSnapshot,
): number {
  const { frames } = transaction;
  if (frames.keyCount === 0) return watch === null ? router.anyNode() : router.nodes.indexOf(watch.lane.node);
  let owner = WAIT;
  let waits = false;
  for (let i = 0; i < frames.keyCount; i++) {
    const hash = frames.hashAt(i);
    let node = rings.ownerOf(hash);
    if (rings.movesAway(hash)) {
      if (transaction.selects.length > 0 || transaction.writesOtherDatabases) return IN_CHANGE;
      const key = frames.keyAt(i);
      node = router.ownerNow(client, key, 0, key.length);
      if (node === GAVE_UP) return GAVE_UP;
      if (node === WAIT) {
        waits = true;
        continue;
      }
    }
    if (owner === WAIT) owner = node;
    else if (owner !== node) return SEVERAL;
  }
  return waits ? WAIT : owner;
}
