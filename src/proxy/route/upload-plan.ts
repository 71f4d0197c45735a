/** Where a large value goes that is passed on as it comes: decided when its key is known and its end is not here. */
import type { RequestFramer } from '../../resp/request-framer.js';
import { NO_HASH } from '../../ring/rings.js';
import { KNOWN_KEY, UNKNOWN_KEYS } from '../request/request.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { UploadPlan } from '../session/upload.js';
import { isReserved, RESERVED_REPLY } from './reserved.js';
import type { Router } from './router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './waiting.js';

const EMPTY = Buffer.alloc(0);

/**
 * There is a snapshot, and nothing is the matter with the client that its commands are to be kept or noted.
 * @param buffer holds the beginning of the frame, from `start` on
 * @returns null when the frame must be gathered: its keys are not all here, or it has no single node
 */
export function planUpload(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  buffer: Buffer,
  start: number,
): UploadPlan | null {
  const { snapshot, table } = router;
  if (snapshot === null || framer.argsComplete === 0) return null;
  const command = table.lookup(buffer, start + framer.partialArgStart(0), start + framer.partialArgEnd(0));
  if (command === undefined) return null;
  const at = command.singleKeyAt;
  if (at === 0 || at >= framer.argsComplete) return null;
  const nowhere = (failure: Buffer): UploadPlan => ({
    command: command.id,
    keys: UNKNOWN_KEYS,
    keyHash: NO_HASH,
    keyStart: 0,
    keyEnd: 0,
    lane: null,
    failure,
  });
  if (!router.bind(client)) return nowhere(EMPTY);
  const keyStart = start + framer.partialArgStart(at);
  const keyEnd = start + framer.partialArgEnd(at);
  const { groups } = router.shared.counters;
  if (groups.active) groups.noteKey(buffer, keyStart, keyEnd);
  if (isReserved(buffer, keyStart, keyEnd)) return nowhere(RESERVED_REPLY);
  const index = router.ownerNow(client, buffer, keyStart, keyEnd);
  if (index === WAIT) return nowhere(EMPTY);
  if (index === GAVE_UP) return nowhere(GAVE_UP_REPLY);
  const node = router.nodeAt(index);
  if (!node.up) return nowhere(node.downReply);
  if (client.pending > 0) return nowhere(EMPTY);
  const lane = client.lanes.forValueTo(index, node);
  if (lane === null) return null;
  return {
    command: command.id,
    keys: KNOWN_KEY,
    keyHash: snapshot.rings.hashOf(buffer, keyStart, keyEnd),
    keyStart,
    keyEnd,
    lane,
    failure: EMPTY,
  };
}
