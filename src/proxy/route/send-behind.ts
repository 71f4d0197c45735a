/** Frames of the proxy's own that run right behind a client's command, at the same node. */

import type { KeyHash } from '../../ring/rings.js';
import type { ReplySink } from '../request/reply-sink.js';
import { KNOWN_KEY, type Request } from '../request/request.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { Lane } from '../upstream/lane.js';
import { isReserved } from './reserved.js';
import type { Router } from './router.js';

/**
 * Sends `frame[0, length)`, which concerns the key `source[start, end)` only, behind the command of the client that was
 * sent just now: it stays with its lanes while replies are to come, and a key that has settled for the one has for the
 * other. Nothing is sent where that command was not, since the node is down.
 * @param sink takes the reply, and gives the request back; null: nobody does
 * @param database in which the key is; the frame goes by a lane of the client's all the same
 * @returns by which it was sent; null: it was not
 */
export function sendBehind(
  router: Router,
  client: ClientConnection,
  source: Buffer,
  start: number,
  end: number,
  frame: Uint8Array,
  length: number,
  sink: ReplySink | null,
  database: number = client.kind.database,
): Lane | null {
  const { snapshot } = router;
  if (snapshot === null || isReserved(source, start, end)) return null;
  const owner = router.ownerNow(client, source, start, end, database);
  const lane = owner < 0 ? null : router.laneFor(client, owner);
  if (lane === null) return null;
  const request = requestOf(lane, snapshot.rings.hashOf(source, start, end));
  if (sink !== null) request.answerTo(sink);
  lane.send(request, frame, 0, length);
  return lane;
}

/** Sends a frame that concerns this key only behind what was sent by the lane before. Nobody takes the reply. */
export function sendOnLane(router: Router, lane: Lane, key: Uint8Array, frame: Uint8Array): void {
  const { snapshot } = router;
  if (snapshot !== null) lane.send(requestOf(lane, snapshot.rings.hashOf(key, 0, key.length)), frame, 0, frame.length);
}

function requestOf(lane: Lane, hash: KeyHash): Request {
  const { requests, clock } = lane.node.shared;
  const request = requests.take();
  request.keys = KNOWN_KEY;
  request.keyHash = hash;
  request.startedAt = clock.now;
  return request;
}
