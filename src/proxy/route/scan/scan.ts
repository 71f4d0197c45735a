/** SCAN over all nodes behind one cursor; in which order, and what the cursor means, is `scan-walk.ts`. */
import type { Command } from '../../../commands/command.js';
import { array, bulk } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { LocalPage } from '../local-keys.js';
import type { Router } from '../router.js';
import { GAVE_UP_REPLY } from '../waiting.js';
import { type LocalKeysPage, readScanOptions, ScanCall } from './scan-call.js';
import { cursorAt, cursorBehind, localCursor, localPlaceOf, placeOf, walkOf } from './scan-walk.js';

/** Sends the SCAN that `framer` holds to the node whose turn it is; `scan-call.ts` goes on from there. */
export function planScan(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  snapshot: RoutingSnapshot,
): Verdict {
  const source = framer.source as Buffer;
  const text = source.toString('latin1', args.start[1], args.end[1]);
  // A node has the right error for a cursor that is none.
  if (!/^(0|[1-9]\d{0,19})$/.test(text)) {
    return router.forward(client, command, router.anyNode(), source, framer);
  }
  if (router.isFenced) {
    // A page that is read while keys begin to move would say of a key that it is nowhere.
    return router.holdForRing(client) ? LATER : router.refuse(client, command, GAVE_UP_REPLY);
  }
  const local = localPages(router, client);
  const from = local === null ? null : localPlaceOf(BigInt(text));
  if (local !== null && from !== null) {
    const options = readScanOptions(framer);
    // A node has the right error for them.
    if (options === null) return router.forward(client, command, router.anyNode(), source, framer);
    const { cursor, keys } = local({ ...options, from });
    client.reply(command.id, array([bulk(cursor), array(keys)]));
    return TAKEN;
  }
  const walk = walkOf(snapshot);
  const place = placeOf(walk, BigInt(text));
  if (place === null) return router.forward(client, command, router.anyNode(), source, framer);

  const index = snapshot.nodes.indexOf(place.node);
  const lane = router.laneFor(client, index);
  if (lane === null) return router.refuse(client, command, router.nodeAt(index).downReply);
  if (lane.full) {
    client.waitFor(lane);
    return LATER;
  }
  const request = client.begin(command.id);
  const nodes = walk.order.slice(walk.order.indexOf(place.node));
  new ScanCall(router, client, request, framer, {
    snapshot,
    nodes,
    cursorIn: (inNode, node) => cursorAt(walk, { node, cursor: inNode, round: place.round }),
    local,
    end: cursorBehind(walk, { ...place, node: nodes[nodes.length - 1] ?? place.node }, 0n),
  }).begin(lane, place.cursor);
  return TAKEN;
}

/** Pages of keys that no node has; null: there are none. */
function localPages(
  { localKeys }: Router,
  { kind: { database } }: ClientConnection,
): ((page: LocalPage) => LocalKeysPage) | null {
  if (localKeys === null || !localKeys.isUsed) return null;
  return (page) => {
    const { next, keys } = localKeys.scan(database, page);
    return { cursor: next === 0 ? '0' : localCursor(next), keys };
  };
}
