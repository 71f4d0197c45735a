/** MULTI, DISCARD, WATCH and UNWATCH. EXEC is in `exec.ts`. */
import type { Command } from '../../../commands/command.js';
import { error as encodeError, OK } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { CROSSSLOT, NOT_READY } from '../../route/replies.js';
import { isReserved, RESERVED_REPLY } from '../../route/reserved.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerError } from '../../session/words.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { Features } from '../compose.js';
import type { LocalCommand, LocalCommands } from '../index.js';
import { exec } from './exec.js';
import { Transaction } from './transaction.js';
import { beginWatch, endWatch } from './watch-lane.js';

const multi: LocalCommand = (client, command) => {
  if (client.transaction !== null) return answerError(client, command, 'ERR MULTI calls can not be nested');
  client.transaction = new Transaction();
  client.reply(command.id, OK);
  return TAKEN;
};

const discard: LocalCommand = (client, command) => {
  if (client.transaction === null) return answerError(client, command, 'ERR DISCARD without MULTI');
  client.transaction = null;
  endWatch(client, false);
  client.reply(command.id, OK);
  return TAKEN;
};

const unwatch: LocalCommand = (client, command) => {
  endWatch(client, false);
  client.reply(command.id, OK);
  return TAKEN;
};

const watch: LocalCommand = (client, command, framer, features) => {
  if (client.transaction !== null) return answerError(client, command, 'ERR WATCH inside MULTI is not allowed');
  const { snapshot } = features.router;
  if (snapshot === null) return features.router.refuse(client, command, NOT_READY);
  if (!features.router.bind(client)) return LATER;
  const source = framer.source as Buffer;
  let owner = WAIT;
  let waits = false;
  for (let i = 1; i < framer.argc; i++) {
    const start = args.start[i] as number;
    const end = args.end[i] as number;
    if (isReserved(source, start, end)) return features.router.refuse(client, command, RESERVED_REPLY);
    const node = features.router.ownerNow(client, source, start, end);
    if (node === GAVE_UP) return features.router.refuse(client, command, GAVE_UP_REPLY);
    if (node === WAIT) waits = true;
    else if (owner === WAIT) owner = node;
    else if (owner !== node) return features.router.refuse(client, command, CROSSSLOT);
  }
  return waits ? LATER : watchAt(features, client, command, framer, snapshot, owner);
};

function watchAt(
  features: Features,
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
  { ring }: RoutingSnapshot,
  owner: number,
): Verdict {
  const source = framer.source as Buffer;
  const node = features.router.nodeAt(owner);
  let current = client.watch;
  if (current !== null && (current.broken || current.lane.closed)) {
    // EXEC cannot go well any more: as in Redis, there is no point in watching.
    client.reply(command.id, OK);
    return TAKEN;
  }
  if (current !== null && current.lane.node !== node) return features.router.refuse(client, command, CROSSSLOT);
  if (current === null) {
    const lane = client.lanes.ownTo(owner, node) ?? takeLane(features, client, owner);
    if (lane === WAITS) return LATER;
    if (lane === null) {
      return features.router.refuse(client, command, node.up ? noLane(node.name) : node.downReply);
    }
    current = beginWatch(client, owner, lane);
  }
  for (let i = 1; i < framer.argc; i++) {
    current.hashes.add(ring.hashOf(source, args.start[i] as number, args.end[i] as number));
  }
  features.router.sendOn(client, command, current.lane, source, framer);
  return TAKEN;
}

const WAITS = 'waits';

/** @returns null when there is none; WAITS when the client is resumed later */
function takeLane(features: Features, client: ClientConnection, owner: number): Lane | null | typeof WAITS {
  if (client.pending > 0) {
    // What is in flight goes by other lanes, and must not be overtaken.
    client.raiseBarrier();
    return WAITS;
  }
  const node = features.router.nodeAt(owner);
  const lane = node.takePrivate(client.kind, client);
  if (lane !== null || !node.up || !client.hold(features.router.waitsFor)) return lane;
  node.privateLanes.waitForLane(client);
  return WAITS;
}

function noLane(node: string): Buffer {
  return encodeError(`TRYAGAIN all private connections to node ${node} are in use (node-private-connections)`);
}

export const transactionCommands = { multi, exec, discard, watch, unwatch } as const satisfies LocalCommands;
