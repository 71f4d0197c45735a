/**
 * The lane on which a client watches keys. As long as it does, all its commands to that node go by this lane, so
 * that none overtakes the WATCH. It goes back to its pool when nothing is in flight after EXEC, DISCARD or UNWATCH.
 */
import { request as encodeRequest } from '../../../resp/encode.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import { Watch } from './transaction.js';

const UNWATCH = Buffer.from(encodeRequest(['UNWATCH']));

/**
 * Begins to watch on a lane of the client's own, which the caller has taken or found.
 * @param index of the node
 */
export function beginWatch(client: ClientConnection, index: number, lane: Lane): Watch {
  lane.whenIdle = null;
  client.lanes.keep(index, lane);
  const watch = new Watch(lane);
  client.watch = watch;
  return watch;
}

/** Nothing is watched any more. @param told whether the node knows it already, by EXEC */
export function endWatch(client: ClientConnection, told: boolean): void {
  const { watch } = client;
  client.watch = null;
  if (watch === null || watch.lane.closed) return;
  const { lane } = watch;
  if (!told) lane.ask(UNWATCH, null, NO_KEYS_AT_ALL);
  lane.whenIdle = (idle) => client.lanes.letGo(idle);
}
