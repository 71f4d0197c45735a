/** Puts a transaction, or the part of it that is one node's, on a lane: MULTI, the frames and EXEC in one piece. */

import { request as encodeRequest } from '../../../resp/encode.js';
import { NO_KEYS_AT_ALL, type Request } from '../../request/request.js';
import { EXEC, MULTI } from '../../request/transaction-frames.js';
import type { Lane } from '../../upstream/lane.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import type { QueuedScripts } from './ports.js';
import type { RepliesBefore } from './replies-before.js';

export interface Piece {
  readonly lane: Lane;
  /** The frames between MULTI and EXEC: they belong to the lane from now on. */
  readonly frames: readonly Buffer[];
  /** Digests of the scripts that they call. */
  readonly digests: readonly string[];
  /** The client's protocol and database, which those of the lane may differ from where it watches. */
  readonly kind: LaneKind;
  /** They leave the connection in another database, perhaps. */
  readonly selects: boolean;
}

/**
 * @param first takes the replies in front of EXEC's
 * @param before who `first`'s reply is answered to
 * @param exec takes EXEC's reply, as it is set up
 */
export function sendPiece(
  { lane, frames, digests, kind, selects }: Piece,
  scripts: QueuedScripts,
  first: Request,
  before: RepliesBefore,
  exec: Request,
): void {
  const changesBack = followKind(kind, lane);
  scripts.loadFor(digests, lane);
  let bytes = MULTI.length + EXEC.length;
  lane.outlet.append(MULTI, 0, MULTI.length);
  for (const piece of frames) {
    bytes += piece.length;
    lane.outlet.appendOwned(piece);
  }
  lane.outlet.append(EXEC, 0, EXEC.length);
  lane.node.counters.bytesOut += bytes;
  first.lane = lane;
  first.answerTo(before);
  first.startedAt = lane.node.shared.clock.now;
  first.command = exec.command;
  // EXEC's own reply stands behind it, and is waited for.
  first.keys = NO_KEYS_AT_ALL;
  lane.enqueue(first);
  exec.lane = lane;
  lane.enqueue(exec);
  if (selects || changesBack) lane.ask(selectFrame(lane.kind.database), null, NO_KEYS_AT_ALL);
  if (changesBack) lane.ask(helloFrame(lane.kind.protocol), null, NO_KEYS_AT_ALL);
}

/** The client has changed its protocol or database since it watches on this lane. @returns whether it has */
function followKind({ protocol, database }: LaneKind, lane: Lane): boolean {
  if (lane.kind.protocol === protocol && lane.kind.database === database) return false;
  lane.ask(helloFrame(protocol), null, NO_KEYS_AT_ALL);
  lane.ask(selectFrame(database), null, NO_KEYS_AT_ALL);
  return true;
}

function selectFrame(database: number): Buffer {
  return Buffer.from(encodeRequest(['SELECT', String(database)]));
}

function helloFrame(protocol: number): Buffer {
  return Buffer.from(encodeRequest(['HELLO', String(protocol)]));
}
