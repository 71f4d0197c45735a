/** Where a transaction runs. */
import type { Router } from '../../route/router.js';
import { GAVE_UP, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Transaction } from './transaction.js';
import type { Watched } from './watch.js';

/** On several nodes, or in steps. */
export const SEVERAL = -3;
/** Keys move, and the transaction has keys of several databases. */
export const IN_CHANGE = -4;

/** @returns the index of the node, or WAIT, GAVE_UP, SEVERAL, IN_CHANGE */
export function ownerOf(
  router: Router,
  client: ClientConnection,
  transaction: Transaction,
  watched: Watched | null,
  { rings }: RoutingSnapshot,
): number {
  const { frames } = transaction;
  let owner = WAIT;
  let waits = false;
  let isOfSeveral = false;
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
    else if (owner !== node) isOfSeveral = true;
    // While the ring changes all keys are looked at, so that they settle together.
    if (isOfSeveral && !rings.isChanging) return SEVERAL;
  }
  if (waits) return WAIT;
  if (isOfSeveral || transaction.overNodes.length > 0) return SEVERAL;
  if (transaction.readsOfAll.length > 0 && router.nodes.length > 1) return SEVERAL;
  if (watched === null) return owner === WAIT ? router.anyNode() : owner;
  const first = owner === WAIT ? watched.watches[0]?.lane.node : router.nodes[owner];
  return first !== undefined && watched.isOnlyAt(first) ? router.nodes.indexOf(first) : SEVERAL;
}
