/**
 * WATCH and UNWATCH. As long as a client watches keys, all its commands to their nodes go by lanes of its own, one to
 * each, so that none overtakes the WATCH. They go back to their pools when nothing is in flight after EXEC, DISCARD or
 * UNWATCH.
 */

import type { Command } from '../../../commands/command.js';
import { request as encodeRequest, OK } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import { UNWATCH } from '../../request/transaction-frames.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { NO_KEYS } from '../../route/fan-out.js';
import { Group } from '../../route/merge/group.js';
import { MERGERS } from '../../route/merge/mergers.js';
import { crossSlotReply, NOT_READY, noPrivateLaneReply } from '../../route/replies.js';
import { isReserved, RESERVED_REPLY } from '../../route/reserved.js';
import type { Router } from '../../route/router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { ClientStates } from '../../session/client-states.js';
import { IN_TRANSACTION, WATCHES } from '../../session/modes.js';
import { answerError } from '../../session/words.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import { UpstreamNode } from '../../upstream/upstream-node.js';
import type { LocalCommand } from '../local-command.js';
import { Watched } from './watch.js';

/** The client is resumed later. */
const WAITS = 'waits';

export class Watches {
  readonly #router: Router;
  readonly #watched = new ClientStates<Watched>(WATCHES);

  constructor(router: Router) {
    this.#router = router;
  }

  /** What the client watches, and where; null: nothing. */
  of(client: ClientConnection): Watched | null {
    return this.#watched.get(client);
  }

  /** There is another snapshot. @param nodes index-aligned with the snapshot's */
  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    if (snapshot.moves === null) return;
    for (const { watches } of this.#watched.values()) for (const watch of watches) watch.onPublish(snapshot, nodes);
  }

  /** Nothing is watched any more. @param told whether the nodes know it already, by EXEC */
  end(client: ClientConnection, told: boolean): void {
    const watched = this.take(client);
    for (const { lane } of watched?.watches ?? []) this.endOn(client, lane, told);
  }

  /** The client watches nothing any more, as far as it is known here. @returns what it did; `endOn` must follow for each lane */
  take(client: ClientConnection): Watched | null {
    const watched = this.#watched.get(client);
    if (watched !== null) this.#watched.delete(client);
    return watched;
  }

  /** Nothing is watched on the lane any more. @param told whether its node knows it already, by EXEC */
  readonly endOn = (client: ClientConnection, lane: Lane, told: boolean): void => {
    if (lane.closed) return;
    if (!told) lane.ask(UNWATCH, null, NO_KEYS_AT_ALL);
    lane.whenIdle((idle) => client.lanes.letGo(idle));
  };

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
    /** The owner of each key, by its index. */
    const owners: number[] = [];
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
      owners.push(node);
    }
    return waits ? LATER : this.#watchAt(client, command, framer, snapshot, owners);
  };

  /** @param owners of each key, in their order */
  #watchAt(
    client: ClientConnection,
    command: Command,
    framer: RequestFramer,
    { rings }: RoutingSnapshot,
    owners: readonly number[],
  ): Verdict {
    const router = this.#router;
    const source = framer.source as Buffer;
    const current = this.#watched.get(client);
    if (current?.isVoid === true) {
      // EXEC cannot go well any more: as in Redis, there is no point in watching.
      client.reply(command.id, OK);
      return TAKEN;
    }
    const { crossNode } = client;
    const indices = [...new Set(owners)];
    const isAlone = indices.length === 1 && (current === null || current.isOnlyAt(router.nodeAt(indices[0] as number)));
    if (!isAlone && crossNode === 'refuse') return router.refuse(client, command, crossSlotReply(crossNode));
    const lanes = this.#lanesTo(client, indices, current);
    if (lanes === WAITS) return LATER;
    if (lanes instanceof UpstreamNode) {
      return router.refuse(client, command, lanes.up ? noPrivateLaneReply(lanes.name) : lanes.downReply);
    }
    const watched = current ?? new Watched();
    if (current === null) this.#watched.set(client, watched);
    const keys = new Map<Lane, Buffer[]>(lanes.map((lane) => [lane, []]));
    for (const [i, owner] of owners.entries()) {
      const start = args.start[i + 1] as number;
      const end = args.end[i + 1] as number;
      const lane = lanes[indices.indexOf(owner)] as Lane;
      watched.on(lane).hashes.add(rings.hashOf(source, start, end));
      keys.get(lane)?.push(source.subarray(start, end));
    }
    if (indices.length === 1) router.sendOn(client, command, lanes[0] as Lane, source, framer);
    else this.#sendEach(client, command, keys);
    return TAKEN;
  }

  /** Sends WATCH by each lane with its keys, and answers what all say. */
  #sendEach(client: ClientConnection, command: Command, keys: ReadonlyMap<Lane, readonly Buffer[]>): void {
    const { shared } = this.#router;
    const group = new Group(client.begin(command.id), client.kind.protocol, MERGERS.ok, shared, NO_KEYS);
    for (const [lane, own] of keys) {
      const frame = encodeRequest(['WATCH', ...own]);
      lane.outlet.append(frame, 0, frame.length);
      lane.node.counters.bytesOut += frame.length;
      group.addPart(lane.node, lane);
    }
    group.seal();
  }

  /**
   * The client's own lanes to the nodes with these indices; those that it lacks are taken, all or none.
   * @returns the node to which there is none to have; WAITS when the client is resumed later
   */
  #lanesTo(
    client: ClientConnection,
    indices: readonly number[],
    watched: Watched | null,
  ): readonly Lane[] | UpstreamNode | typeof WAITS {
    const lanes: Lane[] = [];
    const fresh: Lane[] = [];
    for (const index of indices) {
      const node = this.#router.nodeAt(index);
      const own = watched?.at(node)?.lane ?? client.lanes.ownTo(index, node);
      const lane = own ?? this.#takeLane(client, node);
      if (lane === null || lane === WAITS) {
        // Who waits holds none: two clients could wait for each other.
        for (const one of fresh) one.node.releasePrivate(one);
        return lane ?? node;
      }
      if (own === null) fresh.push(lane);
      lanes.push(lane);
    }
    for (const [i, lane] of lanes.entries()) {
      if (watched?.at(lane.node) !== undefined) continue;
      lane.neverMindIdle();
      client.lanes.keep(indices[i] as number, lane);
    }
    return lanes;
  }

  /** @returns null when there is none; WAITS when the client is resumed later */
  #takeLane(client: ClientConnection, node: UpstreamNode): Lane | null | typeof WAITS {
    if (client.pending > 0) {
      // What is in flight goes by other lanes, and must not be overtaken.
      client.raiseBarrier();
      return WAITS;
    }
    const lane = node.takePrivate(client.kind, client);
    if (lane !== null || !node.up || !client.hold(this.#router.waitsFor)) return lane;
    node.privateLanes.waitForLane(client);
    return WAITS;
  }
}
