/** Commands on keys that may be changing hands: where they run, and what they wait for (see `moved-key.ts`). */
import type { Command } from '../../../commands/command.js';
import { keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { KeyHash } from '../../../ring/rings.js';
import { KNOWN_KEY } from '../../request/request.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { Router } from '../router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../waiting.js';
import { ON_SOURCE, routeMovedKey } from './moved-key.js';
import { SourceRead } from './source-read.js';

/** The keys of one command have several owners. */
export const APART = -3;

/** Dispatches a command of one key at a fixed place, `source[start, end)`, while the ring changes. */
export function dispatchMovedKey(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  source: Buffer,
  start: number,
  end: number,
): Verdict {
  const { rings } = router.snapshot as RoutingSnapshot;
  const hash = rings.hashOf(source, start, end);
  const now = rings.ownerOf(hash);
  // Most keys do not change hands.
  if (rings.nextOwnerOf(hash) === now) return router.forward(client, command, now, source, framer, KNOWN_KEY, hash);
  if (command.missingReply !== null && readAtSource(router, client, framer, command, source, start, end, hash)) {
    return TAKEN;
  }
  const owner = router.ownerNow(client, source, start, end);
  if (owner === WAIT) return LATER;
  if (owner === GAVE_UP) return router.refuse(client, command, GAVE_UP_REPLY);
  return router.forward(client, command, owner, source, framer, KNOWN_KEY, hash);
}

/**
 * The keys of the command at hand may be changing hands: all of them must have arrived before it runs.
 * @param count how many of `keyPositions` are its keys
 * @returns the index of the node on which they are; or WAIT, GAVE_UP or APART
 */
export function ownerOfSettled(router: Router, client: ClientConnection, source: Buffer, count: number): number {
  let owner = WAIT;
  let waits = false;
  let apart = false;
  for (let i = 0; i < count; i++) {
    const at = keyPositions.at[i] as number;
    const node = router.ownerNow(client, source, args.start[at] as number, args.end[at] as number);
    if (node === GAVE_UP) return GAVE_UP;
    if (node === WAIT) waits = true;
    else if (owner === WAIT) owner = node;
    // Keys of different hash tags may share an owner before the change and not after it.
    else if (owner !== node) apart = true;
  }
  if (waits) return WAIT;
  return apart ? APART : owner;
}

/**
 * @param hash of the key, which changes hands
 * @returns false when the read must take the usual way: its key has moved, or may not be asked for yet
 */
function readAtSource(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  source: Buffer,
  start: number,
  end: number,
  hash: KeyHash,
): boolean {
  const { rings, moves } = router.snapshot as RoutingSnapshot;
  if (moves === null) return false;
  const owner = rings.ownerOf(hash);
  const { database } = client.kind;
  const settled = moves.isSettled(owner, database, source, start, end);
  if (routeMovedKey(true, settled, true, client.sourceReads) !== ON_SOURCE) return false;
  const lane = router.laneFor(client, owner);
  if (lane === null || lane.full || !isProcessOfFence(lane, moves.runIdOf(owner))) return false;
  const { frameStart, frameEnd } = framer;
  const frame = Buffer.from(source.subarray(frameStart, frameEnd));
  const request = router.sendOn(client, command, lane, source, framer);
  request.keys = KNOWN_KEY;
  request.keyHash = hash;
  const target = router.nodeAt(rings.nextOwnerOf(hash));
  const missingReply = command.missingReply ?? 'nil';
  const [keyStart, keyEnd] = [start - frameStart, end - frameStart];
  const read = { missingReply, frame, source: owner, target, moves, database, keyStart, keyEnd };
  request.streamTo(new SourceRead(router, client, read));
  return true;
}

/** Whether the lane leads to the process that was there when the fence was passed. @param runId that process' */
function isProcessOfFence(lane: Lane, runId: string): boolean {
  // A lane that has not asked for it was open before the ring began to change.
  return lane.ready && (lane.runId === '' || lane.runId === runId);
}
