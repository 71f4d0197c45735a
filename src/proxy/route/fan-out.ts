import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import { NO_KEYS_AT_ALL, UNKNOWN_KEYS } from '../request/request.js';
import type { Verdict } from '../request/verdict.js';
import { LATER, TAKEN } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { Lane } from '../upstream/lane.js';
import { Group, type Merger } from './merge/group.js';
import { Placement } from './merge/placement.js';
import type { Router } from './router.js';
import { GAVE_UP_REPLY } from './waiting.js';

/**
 * Sends the frame that `framer` holds to every node, and merges the replies with `merger`. While keys move, they
 * hold still for what looks at keys: one on its way would be seen twice or not at all.
 * @param before sends what is to go in front of the frame
 */
export function fanOut(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  merger: Merger,
  before: ((lane: Lane) => void) | null = null,
): Verdict {
  const isOnKeys = command.onAllKeys;
  if (isOnKeys && router.isFenced) {
    // Keys may begin to move before it has run everywhere.
    return router.holdForRing(client) ? LATER : router.refuse(client, command, GAVE_UP_REPLY);
  }
  const { nodes } = router;
  const omitsSilent = command.tolerance === 'rest' && nodes.some((node) => node.up && !node.silent);
  for (let i = 0; i < nodes.length; i++) {
    // What need not wait for a node does not wait for its lane either: it is a few bytes.
    const lane = command.tolerance === 'rest' ? null : router.laneFor(client, i);
    if (lane?.full) {
      client.waitFor(lane);
      return LATER;
    }
  }
  const looksAtKeys = command.tolerance !== 'rest' || command.readOnly;
  const moves = looksAtKeys ? (router.snapshot?.moves ?? null) : null;
  if (moves !== null && !moves.holdMoves(client)) {
    if (!client.hold(router.waitsFor)) return router.refuse(client, command, GAVE_UP_REPLY);
    return LATER;
  }
  const { shared } = router;
  const request = client.begin(command.id);
  const group = new Group(request, client.kind.protocol, merger, shared, NO_KEYS);
  group.tolerance = command.tolerance;
  group.keys = isOnKeys ? UNKNOWN_KEYS : NO_KEYS_AT_ALL;
  if (isOnKeys && router.snapshot !== null) group.placement = new Placement(router.snapshot.rings, router.localKeys);
  if (moves !== null) group.onFinished = () => moves.releaseMoves();
  for (let i = 0; i < nodes.length; i++) {
    const node = router.nodeAt(i);
    if (omitsSilent && node.silent) {
      group.addFailedPart(node, node.silentReply);
      continue;
    }
    const lane = router.laneFor(client, i);
    if (lane === null) {
      group.addFailedPart(node);
      continue;
    }
    before?.(lane);
    group.sendPart(lane, framer);
  }
  const { localKeys } = router;
  if (isOnKeys && localKeys?.isUsed) group.addLocalPart(localKeys.run(command, framer, client.kind, NO_POSITIONS));
  group.seal();
  return TAKEN;
}

const NO_POSITIONS: readonly number[] = [];
export const NO_KEYS = new Uint16Array(0);
