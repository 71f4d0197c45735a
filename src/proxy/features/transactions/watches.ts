/**
 * WATCH and UNWATCH. As long as a client watches keys, all its commands to their node go by one lane of its own, so
 * that none overtakes the WATCH. It goes back to its pool when nothing is in flight after EXEC, DISCARD or UNWATCH.
 */
import type { Command } from '../../../commands/command.js';
import { error as encodeError, request as encodeRequest, OK } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { crossSlotReply, NOT_READY } from '../../route/replies.js';
import { isReserved, RESERVED_REPLY } from '../../route/reserved.js';
import type { Router } from '../../route/router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { ClientStates } from '../../session/client-states.js';
import { IN_TRANSACTION, WATCHES } from '../../session/modes.js';
import { answerError } from '../../session/words.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { LocalCommand } from '../local-command.js';
import { Watch } from './watch.js';

const UNWATCH = Buffer.from(encodeRequest(['UNWATCH']));
/** The client is resumed later. */
const WAITS = 'waits';

export class Watches {
  readonly #router: Router;
  readonly #watches = new ClientStates<Watch>(WATCHES);

  constructor(router: Router) {
    this.#router = router;
  }

  /** What the client watches, and where; null: nothing. */
  of(client: ClientConnection): Watch | null {
    return this.#watches.get(client);
  }

  /** There is another snapshot. @param nodes index-aligned with the snapshot's */
  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    if (snapshot.moves === null) return;
    for (const watch of this.#watches.values()) watch.onPublish(snapshot, nodes);
  }

  /** Nothing is watched any more. @param told whether the node knows it already, by EXEC */
  end(client: ClientConnection, told: boolean): void {
    const watch = this.#watches.get(client);
    if (watch === null) return;
    this.#watches.delete(client);
    const { lane } = watch;
    if (lane.closed) return;
    if (!told) lane.ask(UNWATCH, null, NO_KEYS_AT_ALL);
    lane.whenIdle((idle) => client.lanes.letGo(idle));
  }

  readonly unwatch: LocalCommand = (client, command) => {
    this.end(client, false);
    client.reply(command.id, OK);
    return TAKEN;
  };

  readonly watch: LocalCommand = (client, command, framer) => {
    const router = this.#router;
    if (client.isIn(IN_TRANSACTION)) {
      return answerError(client, command, 'ERR WATCH inside MULTI is not allowed');
    }
    const { snapshot } = router;
    if (snapshot === null) return router.refuse(client, command, NOT_READY);
    if (!router.bind(client)) return LATER;
    const source = framer.source as Buffer;
    let owner = WAIT;
    let waits = false;
    for (let i = 1; i < framer.argc; i++) {
      const start = args.start[i] as number;
      const end = args.end[i] as number;
      if (isReserved(source, start, end)) return router.refuse(client, command, RESERVED_REPLY);
      if (router.localKeys?.has(source, start, end)) {
        return router.refuse(client, command, router.localKeys.refusal(source, start, end));
      }
      const node = router.ownerNow(client, source, start, end);
      if (node === GAVE_UP) return router.refuse(client, command, GAVE_UP_REPLY);
      if (node === WAIT) waits = true;
      else if (owner === WAIT) owner = node;
      else if (owner !== node) return router.refuse(client, command, crossSlotReply(router.shared.options.crossNode));
    }
    return waits ? LATER : this.#watchAt(client, command, framer, snapshot, owner);
  };

  #watchAt(
    client: ClientConnection,
    command: Command,
    framer: RequestFramer,
    { rings }: RoutingSnapshot,
    owner: number,
  ): Verdict {
    const router = this.#router;
    const source = framer.source as Buffer;
    const node = router.nodeAt(owner);
    let current = this.#watches.get(client);
    if (current !== null && (current.broken || current.lane.closed)) {
      // EXEC cannot go well any more: as in Redis, there is no point in watching.
      client.reply(command.id, OK);
      return TAKEN;
    }
    if (current !== null && current.lane.node !== node)
      return router.refuse(client, command, crossSlotReply(router.shared.options.crossNode));
    if (current === null) {
      const lane = client.lanes.ownTo(owner, node) ?? this.#takeLane(client, owner);
      if (lane === WAITS) return LATER;
      if (lane === null) return router.refuse(client, command, node.up ? noLane(node.name) : node.downReply);
      current = this.#begin(client, owner, lane);
    }
    for (let i = 1; i < framer.argc; i++) {
      current.hashes.add(rings.hashOf(source, args.start[i] as number, args.end[i] as number));
    }
    router.sendOn(client, command, current.lane, source, framer);
    return TAKEN;
  }

  /** @returns null when there is none; WAITS when the client is resumed later */
  #takeLane(client: ClientConnection, owner: number): Lane | null | typeof WAITS {
    if (client.pending > 0) {
      // What is in flight goes by other lanes, and must not be overtaken.
      client.raiseBarrier();
      return WAITS;
    }
    const node = this.#router.nodeAt(owner);
    const lane = node.takePrivate(client.kind, client);
    if (lane !== null || !node.up || !client.hold(this.#router.waitsFor)) return lane;
    node.privateLanes.waitForLane(client);
    return WAITS;
  }

  /** Begins to watch on a lane of the client's own to the node with this index. */
  #begin(client: ClientConnection, index: number, lane: Lane): Watch {
    lane.neverMindIdle();
    client.lanes.keep(index, lane);
    const watch = new Watch(lane);
    this.#watches.set(client, watch);
    return watch;
  }
}

function noLane(node: string): Buffer {
  return encodeError(`TRYAGAIN all private connections to node ${node} are in use (node-private-connections)`);
}
