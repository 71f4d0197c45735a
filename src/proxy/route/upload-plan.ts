/** Where a large value goes that is passed on as it comes: decided when its key is known and its end is not here. */
import type { Command } from '../../commands/command.js';
import { isOfPairs } from '../../commands/keys.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import { NO_HASH } from '../../ring/rings.js';
import { KNOWN_KEY, UNKNOWN_KEYS } from '../request/request.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { UploadPlan } from '../session/upload.js';
import { isReserved, RESERVED_REPLY } from './reserved.js';
import type { Router } from './router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './waiting.js';

const EMPTY = Buffer.alloc(0);

/** What groups of keys say of large values. */
export interface UploadLimits {
  /** @returns the error for a value of so many bytes for the key `source[start, end)`, or null when it may have them */
  refusalOf(source: Buffer, start: number, end: number, bytes: number): Buffer | null;
  /** @returns frames to send behind the command with a large value for this key */
  behindUpload(command: Command, source: Buffer, start: number, end: number): readonly Buffer[];
}

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
  limits: UploadLimits,
): UploadPlan | null {
  const { snapshot, offered } = router;
  if (snapshot === null || framer.argsComplete === 0) return null;
  const command = offered.lookup(buffer, start + framer.partialArgStart(0), start + framer.partialArgEnd(0));
  if (command === undefined) return null;
  const { groups } = router.shared.counters;
  const nowhere = (failure: Buffer): UploadPlan => ({
    command: command.id,
    keys: UNKNOWN_KEYS,
    keyHash: NO_HASH,
    keyStart: 0,
    keyEnd: 0,
    lane: null,
    failure,
    behind: [],
  });
  const keyAt = groups.hasPolicies && command.write ? keyOfValue(command, framer) : 0;
  if (keyAt > 0) {
    const from = start + framer.partialArgStart(keyAt);
    const to = start + framer.partialArgEnd(keyAt);
    const refusal = limits.refusalOf(buffer, from, to, framer.bulkLength);
    if (refusal !== null) {
      groups.noteKey(buffer, from, to);
      return nowhere(refusal);
    }
  }
  const at = command.singleKeyAt;
  if (at === 0 || at >= framer.argsComplete) return null;
  if (!router.bind(client)) return nowhere(EMPTY);
  const keyStart = start + framer.partialArgStart(at);
  const keyEnd = start + framer.partialArgEnd(at);
  if (groups.active) groups.noteKey(buffer, keyStart, keyEnd);
  if (isReserved(buffer, keyStart, keyEnd)) return nowhere(RESERVED_REPLY);
  const { localKeys } = router;
  if (localKeys?.has(buffer, keyStart, keyEnd)) {
    const refusal = localKeys.refusalOfValue(framer.bulkLength);
    return refusal === null ? null : nowhere(refusal);
  }
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
    behind: groups.hasPolicies ? limits.behindUpload(command, buffer, keyStart, keyEnd) : [],
  };
}

/** @returns where the key stands whose value is being waited for, among the arguments that are here; 0: nobody knows */
function keyOfValue(command: Command, { argsComplete }: RequestFramer): number {
  const { keys, singleKeyAt } = command;
  if (singleKeyAt > 0) return singleKeyAt < argsComplete ? singleKeyAt : 0;
  if (!isOfPairs(command) || !('first' in keys)) return 0;
  return argsComplete > keys.first && (argsComplete - keys.first) % 2 === 1 ? argsComplete - 1 : 0;
}
