/** Frames of the proxy's own that run right behind a client's command, at the same node. */

import type { ReplySink } from '../request/reply-sink.js';
import { KNOWN_KEY } from '../request/request.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { Lane } from '../upstream/lane.js';
import { isReserved } from './reserved.js';
import type { Router } from './router.js';

/**
 * Sends `frame[0, length)`, which concerns the key `source[start, end)` only, behind the command of the client that was
 * sent just now: it stays with its lanes while replies are to come, and a key that has settled for the one has for the
 * other. Nothing is sent where that command was not, since the node is down.
 * @param sink takes the reply, and gives the request back; null: nobody does
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
): Lane | null {
  const { snapshot } = router;
  if (snapshot === null || isReserved(source, start, end)) return null;
  const owner = router.ownerNow(client, source, start, end);
  const lane = owner < 0 ? null : router.laneFor(client, owner);
  if (lane === null) return null;
  const { requests, clock } = router.shared;
  const request = requests.take();
  if (sink !== null) request.answerTo(sink);
  request.keys = KNOWN_KEY;
  request.keyHash = snapshot.rings.hashOf(source, start, end);
  request.startedAt = clock.now;
  lane.send(request, frame, 0, length);
  return lane;
}
