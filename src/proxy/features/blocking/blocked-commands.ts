/** All commands of the data plane that wait at nodes, and those that wait for a change of the ring. */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Dispatcher, Verdict } from '../../dispatcher.js';
import type { TurnTask } from '../../io/turn.js';
import type { RequestPool } from '../../request/request.js';
import { type ClientConnection, LATER, TAKEN } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { BlockedCommand, noBlockingLane } from './blocked-command.js';
import { type UnblockMode, unblock } from './unblock.js';

/** What a client waits for at one or several nodes. */
export interface Waiting {
  /** The client has left. */
  abandon(): void;
  /** The client sends nothing more, but may read: nobody waits for it, but what is there it gets. */
  hangUp(): void;
  /** The proxy stops. */
  stop(): void;
  /** CLIENT UNBLOCK. @returns the lane whose node is to be asked; null when that is not needed */
  endWait(mode: UnblockMode): Lane | null;
}

export class BlockedCommands {
  readonly atNode = new Set<BlockedCommand>();
  readonly parked = new Set<BlockedCommand>();
  /** Waits to be ended as soon as their lanes are there, unless these have answered `until` requests by then. */
  readonly #unended = new Map<Lane, { readonly mode: UnblockMode; readonly until: number }>();
  readonly #dispatcher: Dispatcher;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  get snapshot(): RoutingSnapshot | null {
    return this.#dispatcher.snapshot;
  }

  get requests(): RequestPool {
    return this.#dispatcher.context.shared.requests;
  }

  get now(): number {
    return this.#dispatcher.context.shared.clock.now;
  }

  nodeAt(index: number): UpstreamNode {
    return this.#dispatcher.nodeAt(index);
  }

  schedule(task: TurnTask): void {
    this.#dispatcher.context.shared.turn.schedule(task);
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
      if (!node.up) return this.#dispatcher.refuse(client, command, node.downReply);
      if (!client.hold()) return this.#dispatcher.refuse(client, command, noBlockingLane(node.name));
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
    const request = this.requests.take();
    request.command = command.id;
    client.enqueue(request);
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
    const { requestTimeout } = this.#dispatcher.context.shared.options;
    for (const blocked of [...this.parked]) blocked.checkTime(now, requestTimeout);
    for (const [lane, { mode, until }] of this.#unended) {
      if (!lane.ready && !lane.closed) continue;
      this.#unended.delete(lane);
      if (lane.ready && lane.answered < until) unblock(lane, mode);
    }
  }
}
