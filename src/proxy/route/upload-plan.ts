/** Where a large value goes that is passed on as it comes: decided when its key is known and its end is not here. */
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Dispatcher } from '../dispatcher.js';
import { KNOWN_KEY, type Request } from '../request/request.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { Lane } from '../upstream/lane.js';
import { isReserved, RESERVED_REPLY } from './reserved.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './waiting.js';

/** The value goes to `lane`, or nowhere, and the client is answered `failure`. */
export interface UploadPlan {
  readonly command: number;
  /** Of its key, as `Request.keyHash`. */
  readonly keyHash: number;
  readonly lane: Lane | null;
  readonly failure: Buffer;
}

const EMPTY = Buffer.alloc(0);

/**
 * @param buffer holds the beginning of the frame, from `start` on
 * @returns null when the frame must be gathered: its keys are not all here, or it has no single node
 */
export function planUpload(
  dispatcher: Dispatcher,
  client: ClientConnection,
  framer: RequestFramer,
  buffer: Buffer,
  start: number,
): UploadPlan | null {
  if (dispatcher.snapshot === null || !client.authenticated || framer.argsComplete === 0) return null;
  // What is queued stays here until EXEC; of what is noted, the whole command must be known.
  if (client.transaction !== null || client.tracking !== null || dispatcher.isAttentive) return null;
  const command = dispatcher.table.lookup(buffer, start + framer.partialArgStart(0), start + framer.partialArgEnd(0));
  if (command === undefined) return null;
  const at = command.singleKeyAt;
  if (at === 0 || at >= framer.argsComplete) return null;
  const nowhere = (failure: Buffer): UploadPlan => ({
    command: command.id,
    keyHash: 0,
    lane: null,
    failure,
  });
  if (!dispatcher.bind(client)) return nowhere(EMPTY);
  const keyStart = start + framer.partialArgStart(at);
  const keyEnd = start + framer.partialArgEnd(at);
  dispatcher.context.shared.counters.groups?.noteKey(buffer, keyStart, keyEnd);
  if (isReserved(buffer, keyStart, keyEnd)) return nowhere(RESERVED_REPLY);
  const index = dispatcher.ownerNow(client, buffer, keyStart, keyEnd);
  if (index === WAIT) return nowhere(EMPTY);
  if (index === GAVE_UP) return nowhere(GAVE_UP_REPLY);
  const node = dispatcher.nodeAt(index);
  if (!node.up) return nowhere(node.downReply);
  if (client.pending > 0) return nowhere(EMPTY);
  const own = client.lanes[index];
  const lane = own?.accepting && own.owner === client ? own : node.takeForValues(client.kind, client);
  if (lane === null) return null;
  if (!client.privateLanes.includes(lane)) client.privateLanes.push(lane);
  client.lanes[index] = lane;
  const { ring } = dispatcher.snapshot as RoutingSnapshot;
  return { command: command.id, keyHash: ring.hashOf(buffer, keyStart, keyEnd) | 0, lane, failure: EMPTY };
}

/** Notes the command whose bytes are about to be passed on to `lane`. */
export function beginUpload(
  dispatcher: Dispatcher,
  client: ClientConnection,
  { command, keyHash }: UploadPlan,
  lane: Lane,
): Request {
  const request = dispatcher.context.shared.requests.take();
  request.command = command;
  request.keys = KNOWN_KEY;
  request.keyHash = keyHash;
  request.lane = lane;
  client.enqueue(request);
  lane.enqueue(request);
  return request;
}
