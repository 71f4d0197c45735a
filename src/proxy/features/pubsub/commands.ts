/** SUBSCRIBE, PUBLISH and their like, as clients send them. */
import type { Command } from '../../../commands/command.js';
import { error as encodeError } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { CHANNEL, PATTERN, SHARD, type TopicKind } from '../../peers/topic-kind.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { NOT_READY } from '../../route/replies.js';
import type { Router } from '../../route/router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';
import { ChannelCounts, PublishCount } from './counts.js';
import type { OtherCounts } from './other-counts.js';
import type { PublishOrder } from './publish-order.js';
import type { PubSub } from './pubsub.js';

/** @returns the error for a command that the client may not send now because it is subscribed; null: it may */
export function refusalWhileSubscribed(pubsub: PubSub, client: ClientConnection, command: Command): Buffer | null {
  if (!pubsub.isSubscribed(client) || client.kind.protocol !== 2 || command.whileSubscribed !== 'refused') return null;
  return encodeError(
    `ERR Can't execute '${command.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}

/**
 * Whether a command must wait until the client is subscribed to what it has asked for: what it is answered depends on
 * that. Only further subscriptions may follow at once, since others may publish there already.
 */
export function waitsForSubscription(pubsub: PubSub, client: ClientConnection, command: Command): boolean {
  return pubsub.startedOf(client) > 0 && command.whileSubscribed !== 'follows';
}

/** What the commands of publish and subscribe work with. */
export interface PubSubPorts {
  readonly router: Router;
  readonly pubsub: PubSub;
  readonly publishOrder: PublishOrder;
  /** What other processes and proxies have subscribed to; null: there are none. */
  readonly others: OtherCounts | null;
}

function subscribe({ router, pubsub }: PubSubPorts, kind: TopicKind): LocalCommand {
  return (client, command, framer) => {
    if (router.snapshot === null) return router.refuse(client, command, NOT_READY);
    const keys = keysOf(framer);
    const refusal = pubsub.refusal(kind, keys);
    if (refusal !== null) return router.refuse(client, command, encodeError(refusal));
    if (client.pending > pubsub.startedOf(client)) {
      // Its messages begin behind the replies that are still to come.
      pubsub.announce(client, kind, keys);
      client.raiseBarrier();
      return LATER;
    }
    pubsub.subscribe(client, kind, keys, command.id);
    return TAKEN;
  };
}

function unsubscribe({ pubsub }: PubSubPorts, kind: TopicKind): LocalCommand {
  return (client, command, framer) => {
    if (client.pending > 0) {
      client.raiseBarrier();
      return LATER;
    }
    const keys = framer.argc === 1 ? null : keysOf(framer);
    pubsub.unsubscribe(client, kind, keys, command.id);
    return TAKEN;
  };
}

function publish(ports: PubSubPorts, kind: TopicKind): LocalCommand {
  const { router, pubsub, publishOrder, others } = ports;
  return (client, command, framer) => {
    if (router.snapshot === null) return router.refuse(client, command, NOT_READY);
    if (!client.isBehindReads) {
      // A SUBSCRIBE that came before may be read later in this turn of the event loop.
      client.resumeSoon();
      return LATER;
    }
    if (!router.bind(client)) return LATER;
    const start = args.start[1] as number;
    const end = args.end[1] as number;
    const source = framer.source as Buffer;
    const owner = ownerOfChannel(router, client, source, start, end);
    if (owner === WAIT) return LATER;
    if (owner === GAVE_UP) return router.refuse(client, command, GAVE_UP_REPLY);
    const lane = laneTo(router, client, owner);
    if (lane === null) return router.refuse(client, command, router.nodeAt(owner).downReply);
    if (lane.full) return LATER;
    const nobody = pubsub.isIdle && (others === null || others.isNobody);
    const key = nobody ? '' : source.toString('latin1', start, end);
    if (!nobody && publishOrder.mustWait(client, framer, lane.node, [{ kind, key }])) return LATER;
    const request = router.sendOn(client, command, lane, source, framer);
    if (!nobody) request.answerTo(new PublishCount(ports, lane.node, kind, key));
    return TAKEN;
  };
}

function counts(ports: PubSubPorts, kind: TopicKind): LocalCommand {
  const { router } = ports;
  return (client, command, framer) => {
    if (router.snapshot === null) return router.refuse(client, command, NOT_READY);
    if (!router.bind(client)) return LATER;
    const node = router.anyNode();
    const lane = laneTo(router, client, node);
    if (lane === null) return router.refuse(client, command, router.nodeAt(node).downReply);
    if (lane.full) return LATER;
    const request = router.sendOn(client, command, lane, framer.source as Buffer, framer);
    request.answerTo(new ChannelCounts(ports, lane.node, kind, keysOf(framer).slice(1)));
    return TAKEN;
  };
}

/**
 * While it is not certain yet whether a channel changes its owner, its messages wait, so that none is on its way to
 * the old owner when others are sent to the new one.
 */
function ownerOfChannel(router: Router, client: ClientConnection, source: Buffer, start: number, end: number): number {
  const { snapshot } = router;
  if (snapshot === null) return WAIT;
  const { rings, moves } = snapshot;
  const hash = rings.hashOf(source, start, end);
  if (moves !== null || !rings.movesAway(hash)) return rings.nextOwnerOf(hash);
  return router.holdForRing(client) ? WAIT : GAVE_UP;
}

/** @returns null while the node is down; when the lane is full, the client waits for it */
function laneTo(router: Router, client: ClientConnection, node: number): Lane | null {
  const lane = router.laneFor(client, node);
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

export function pubsubCommands(ports: PubSubPorts) {
  return {
    subscribe: subscribe(ports, CHANNEL),
    psubscribe: subscribe(ports, PATTERN),
    ssubscribe: subscribe(ports, SHARD),
    unsubscribe: unsubscribe(ports, CHANNEL),
    punsubscribe: unsubscribe(ports, PATTERN),
    sunsubscribe: unsubscribe(ports, SHARD),
    publish: publish(ports, CHANNEL),
    spublish: publish(ports, SHARD),
    'pubsub|numsub': counts(ports, CHANNEL),
    'pubsub|shardnumsub': counts(ports, SHARD),
  } as const satisfies LocalCommands;
}
