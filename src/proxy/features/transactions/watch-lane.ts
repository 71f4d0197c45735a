/**
 * The lane on which a client watches keys. As long as it does, all its commands to that node go by this lane, so
 * that none overtakes the WATCH. It goes back to its pool when nothing is in flight after EXEC, DISCARD or UNWATCH.
 */
import { request as encodeRequest } from '../../../resp/encode.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { Watch } from './transaction.js';

const UNWATCH = Buffer.from(encodeRequest(['UNWATCH']));

/**
 * Begins to watch on a lane of the client's own, which the caller has taken or found.
 * @param index of the node
 */
export function beginWatch(client: ClientConnection, index: number, lane: Lane): Watch {
  lane.whenIdle = null;
  const own = client.privateLanes.indexOf(lane);
  if (own >= 0) client.privateLanes.splice(own, 1);
  client.lanes[index] = lane;
  const watch = new Watch(lane);
  client.watch = watch;
  return watch;
}

/** A lane to this node that is the client's own already, so that nothing it has in flight can be overtaken. */
export function ownLane(client: ClientConnection, index: number, node: UpstreamNode): Lane | null {
  const lane = client.lanes[index];
  return lane !== undefined && lane.owner === client && lane.accepting && lane.node === node ? lane : null;
}

/** Nothing is watched any more. @param told whether the node knows it already, by EXEC */
export function endWatch(client: ClientConnection, told: boolean): void {
  const { watch } = client;
  client.watch = null;
  if (watch === null || watch.lane.closed) return;
  const { lane } = watch;
  if (!told) sendQuietly(lane, UNWATCH);
  lane.whenIdle = release;
}

/** Sends a frame without keys whose reply is nobody's. */
export function sendQuietly(lane: Lane, frame: Buffer): void {
  const { requests, clock } = lane.node.shared;
  const request = requests.take();
  request.lane = lane;
  request.keys = NO_KEYS_AT_ALL;
  request.startedAt = clock.now;
  lane.outlet.append(frame, 0, frame.length);
  lane.node.counters.bytesOut += frame.length;
  lane.enqueue(request);
}

function release(lane: Lane): void {
  const client = lane.owner;
  if (lane.closed || client === null) return;
  const at = client.lanes.indexOf(lane);
  if (at >= 0) client.lanes[at] = undefined;
  lane.node.releasePrivate(lane);
}
