import type { Request } from '../request/request.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import type { Router } from './router.js';

/**
 * Sends a client's read to another node than before, whose reply it gets; behind what the client has in flight there.
 * The client counts it among its `sourceReads`, so when the ring has changed since, none of its commands goes anywhere
 * before this one is answered.
 * @returns false: the node is down
 */
export function askAgain(
  router: Router,
  client: ClientConnection,
  request: Request,
  node: UpstreamNode,
  frame: Buffer,
): boolean {
  const index = client.lanes.snapshot === router.snapshot ? router.nodes.indexOf(node) : -1;
  const lane = index >= 0 ? router.laneFor(client, index) : node.pick(client.kind);
  if (lane === null) return false;
  lane.send(request, frame, 0, frame.length);
  return true;
}
