/** SUBSCRIBE, PUBLISH and their like, as clients send them. */
import type { Command } from '../../../commands/command.js';
import { error as encodeError } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { NOT_READY } from '../../route/replies.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { Features } from '../compose.js';
import type { LocalCommand, LocalCommands } from '../index.js';
import { ChannelCounts, PublishCount } from './counts.js';
import { CHANNEL, PATTERN, SHARD, type TopicKind } from './topic.js';

/** @returns the error for a command that the client may not send now because it is subscribed; null: it may */
export function refusalWhileSubscribed(client: ClientConnection, command: Command): Buffer | null {
  if (!isSubscribed(client) || client.kind.protocol !== 2 || command.whileSubscribed !== 'refused') return null;
  return encodeError(
    `ERR Can't execute '${command.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}

/**
 * Whether a command must wait until the client is subscribed to what it has asked for: what it is answered depends on
 * that. Only further subscriptions may follow at once, since others may publish there already.
 */
export function waitsForSubscription(client: ClientConnection, command: Command): boolean {
  return startedOf(client) > 0 && command.whileSubscribed !== 'follows';
}

/** Subscriptions that stand in the client's queue and are not confirmed. */
function startedOf(client: ClientConnection): number {
  const pending = client.subscriptions?.pending;
  if (pending === undefined || pending.length === 0) return 0;
  return pending.at(-1)?.request === null ? pending.length - 1 : pending.length;
}

/** Whether the client's subscription to something is confirmed. */
export function isSubscribed(client: ClientConnection): boolean {
  return client.subscriptions !== null && !client.subscriptions.isEmpty;
}

function subscribe(kind: TopicKind): LocalCommand {
  return (client, command, framer, features) => {
    if (features.router.snapshot === null) return features.router.refuse(client, command, NOT_READY);
    const keys = keysOf(framer);
    const refusal = features.pubsub.refusal(kind, keys);
    if (refusal !== null) return features.router.refuse(client, command, encodeError(refusal));
    if (client.pending > startedOf(client)) {
      // Its messages begin behind the replies that are still to come.
      features.pubsub.announce(client, kind, keys);
      client.raiseBarrier();
      return LATER;
    }
    features.pubsub.subscribe(client, kind, keys, command.id);
    return TAKEN;
  };
}

function unsubscribe(kind: TopicKind): LocalCommand {
  return (client, command, framer, features) => {
    if (client.pending > 0) {
      client.raiseBarrier();
      return LATER;
    }
    const keys = framer.argc === 1 ? null : keysOf(framer);
    features.pubsub.unsubscribe(client, kind, keys, command.id);
    return TAKEN;
  };
}

function publish(kind: TopicKind): LocalCommand {
  return (client, command, framer, features) => {
    if (features.router.snapshot === null) return features.router.refuse(client, command, NOT_READY);
    if (!client.isBehindReads) {
      // A SUBSCRIBE that came before may be read later in this turn of the event loop.
      client.resumeSoon();
      return LATER;
    }
    if (!features.router.bind(client)) return LATER;
    const start = args.start[1] as number;
    const end = args.end[1] as number;
    const source = framer.source as Buffer;
    const owner = ownerOfChannel(features, client, source, start, end);
    if (owner === WAIT) return LATER;
    if (owner === GAVE_UP) return features.router.refuse(client, command, GAVE_UP_REPLY);
    const lane = laneTo(features, client, owner);
    if (lane === null) return features.router.refuse(client, command, features.router.nodeAt(owner).downReply);
    if (lane.full) return LATER;
    const nobody = features.pubsub.isIdle && features.peerCounts === null;
    const key = nobody ? '' : source.toString('latin1', start, end);
    const { publishOrder } = features;
    if (!nobody && publishOrder.mustWait(client, framer, lane.node, [{ kind, key }])) return LATER;
    const request = features.router.sendOn(client, command, lane, source, framer);
    if (!nobody) request.answerTo(new PublishCount(features, lane.node, kind, key));
    return TAKEN;
  };
}

function counts(kind: TopicKind): LocalCommand {
  return (client, command, framer, features) => {
    if (features.router.snapshot === null) return features.router.refuse(client, command, NOT_READY);
    if (!features.router.bind(client)) return LATER;
    const node = features.router.anyNode();
    const lane = laneTo(features, client, node);
    if (lane === null) return features.router.refuse(client, command, features.router.nodeAt(node).downReply);
    if (lane.full) return LATER;
    const request = features.router.sendOn(client, command, lane, framer.source as Buffer, framer);
    request.answerTo(new ChannelCounts(features, lane.node, kind, keysOf(framer).slice(1)));
    return TAKEN;
  };
}

/**
 * While it is not certain yet whether a channel changes its owner, its messages wait, so that none is on its way to
 * the old owner when others are sent to the new one.
 */
function ownerOfChannel(
  features: Features,
  client: ClientConnection,
  source: Buffer,
  start: number,
  end: number,
): number {
  const { snapshot } = features.router;
  if (snapshot === null) return WAIT;
  const { ring, nextRing, moves } = snapshot;
  const hash = ring.hashOf(source, start, end);
  const owner = ring.ownerOfHash(hash);
  const next = nextRing === null ? owner : nextRing.ownerOfHash(hash);
  if (next === owner || moves !== null) return next;
  return features.router.holdForRing(client) ? WAIT : GAVE_UP;
}

/** @returns null while the node is down; when the lane is full, the client waits for it */
function laneTo(features: Features, client: ClientConnection, node: number): Lane | null {
  const lane = features.router.laneFor(client, node);
  if (lane?.full === true) client.waitFor(lane);
  return lane;
}

function keysOf(framer: RequestFramer): string[] {
  const keys: string[] = [];
  for (let i = 1; i < framer.argc; i++) {
    keys.push((framer.source as Buffer).toString('latin1', args.start[i], args.end[i]));
  }
  return keys;
}

export const pubsubCommands = {
  subscribe: subscribe(CHANNEL),
  psubscribe: subscribe(PATTERN),
  ssubscribe: subscribe(SHARD),
  unsubscribe: unsubscribe(CHANNEL),
  punsubscribe: unsubscribe(PATTERN),
  sunsubscribe: unsubscribe(SHARD),
  publish: publish(CHANNEL),
  spublish: publish(SHARD),
  'pubsub|numsub': counts(CHANNEL),
  'pubsub|shardnumsub': counts(SHARD),
} as const satisfies LocalCommands;
