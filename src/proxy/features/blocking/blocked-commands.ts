/** All commands of the data plane that wait at nodes, and those that wait for a change of the ring. */

import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { TurnTask } from '../../io/turn.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UnblockMode } from '../../session/waiting.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Features } from '../compose.js';
import { BlockedCommand, noBlockingLane } from './blocked-command.js';
import { unblock } from './unblock.js';

export class BlockedCommands {
  readonly atNode = new Set<BlockedCommand>();
  readonly parked = new Set<BlockedCommand>();
  /** Waits to be ended as soon as their lanes are there, unless these have answered `until` requests by then. */
  readonly #unended = new Map<Lane, { readonly mode: UnblockMode; readonly until: number }>();
  readonly #features: Features;

  constructor(features: Features) {
    this.#features = features;
  }

  get snapshot(): RoutingSnapshot | null {
    return this.#features.router.snapshot;
  }

  get requests(): RequestPool {
    return this.#features.router.shared.requests;
  }

  get now(): number {
    return this.#features.router.shared.clock.now;
  }

  nodeAt(index: number): UpstreamNode {
    return this.#features.router.nodeAt(index);
  }

  schedule(task: TurnTask): void {
    this.#features.router.shared.turn.schedule(task);
  }

  /** Sends the command that `framer` holds to the node with this index, on a lane of its own. */
  begin(client: ClientConnection, command: Command, framer: RequestFramer, index: number): Verdict {
    if (client.pending > 0) {
      // What is in flight goes by other lanes, and must not be overtaken.
      client.raiseBarrier();
      return LATER;
    }
    const node = this.nodeAt(index);
    const lane = node.takeBlocking(client.kind, client);
    if (lane === null) {
      if (!node.up) return this.#features.router.refuse(client, command, node.downReply);
      if (!client.hold(this.#features.router.waitsFor))
        return this.#features.router.refuse(client, command, noBlockingLane(node.name));
      node.blockingLanes.waitForLane(client);
      return LATER;
    }
    const { frameStart, frameEnd } = framer;
    const frame = Buffer.from(framer.source.subarray(frameStart, frameEnd));
    const words: Buffer[] = [];
    for (let i = 0; i < framer.argc; i++) {
      words.push(frame.subarray((args.start[i] as number) - frameStart, (args.end[i] as number) - frameStart));
    }
    const count = Math.max(0, findKeys(command, args, framer.argc, framer.source));
    const keys = Array.from(keyPositions.at.subarray(0, count));
    const request = client.begin(command.id);
    client.raiseBarrier();
    const blocked = new BlockedCommand(this, client, command, request, words, keys);
    client.blocked = blocked;
    blocked.issue(lane, frame, 0, frame.length);
    if (client.inputHasEnded) blocked.hangUp();
    return TAKEN;
  }

  /**
   * Takes the commands off their nodes whose keys change hands. Their lanes are answered then: who waits until
   * nothing is in flight waits for these as well, but not for those that stay.
   */
  release(): void {
    const { snapshot } = this;
    if (snapshot === null || snapshot.nextRing === null) return;
    for (const blocked of [...this.atNode]) if (blocked.moves(snapshot)) blocked.leave();
  }

  /** Ends the wait on this lane, once the node has been sent what is to be ended. */
  endWaitOn(lane: Lane, mode: UnblockMode): void {
    if (lane.ready) unblock(lane, mode);
    else this.#unended.set(lane, { mode, until: lane.answered + lane.inflight });
  }

  /** There is another snapshot: what was parked may go on. */
  onPublish(): void {
    for (const blocked of this.parked) blocked.resumeSoon();
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    const { requestTimeout } = this.#features.router.shared.options;
    for (const blocked of [...this.parked]) blocked.checkTime(now, requestTimeout);
    for (const [lane, { mode, until }] of this.#unended) {
      if (!lane.ready && !lane.closed) continue;
      this.#unended.delete(lane);
      if (lane.ready && lane.answered < until) unblock(lane, mode);
    }
  }
}
