/**
 * Commands that wait: those at their nodes (BLPOP and the like), those that wait for a change of the ring instead, those
 * whose keys are on several nodes (`over-nodes`), and WAIT. CLIENT UNBLOCK ends any of them.
 */

import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { wordsIn } from '../../../resp/frame-words.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Peers, UnblockMode } from '../../peers/peers.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { LocalCommand } from '../local-command.js';
import { BlockedCommand, noBlockingLane, type WaitingCommands } from './blocked-command.js';
import { mayWait } from './blocking-frame.js';
import { ClientUnblock } from './client-unblock.js';
import { LateEnds } from './late-ends.js';
import { timeoutFrom } from './over-nodes/apart-wait.js';
import { type WaitingPorts, WaitsApart } from './over-nodes/waits-apart.js';
import { waitCommand } from './wait.js';

export class Blocking {
  readonly commands: Readonly<Record<'client|unblock' | 'wait' | 'waitaof', LocalCommand>>;
  readonly #router: Router;
  readonly #unblock: ClientUnblock;
  readonly #all: WaitingCommands;
  readonly #apart: WaitsApart;

  /** @param peers null: there are no other processes */
  constructor(router: Router, peers: Peers | null, ports: WaitingPorts) {
    this.#router = router;
    this.#unblock = new ClientUnblock(router.shared.clients, peers);
    this.#apart = new WaitsApart(router, ports);
    const lateEnds = new LateEnds();
    this.#all = { atNode: new Set(), parked: new Set(), lateEnds, apart: this.#apart };
    const wait = waitCommand(router, lateEnds);
    this.commands = { 'client|unblock': this.#unblock.run, wait, waitaof: wait };
  }

  /** Sends the command that `framer` holds to the node with this index, on a lane of its own. */
  begin(client: ClientConnection, command: Command, framer: RequestFramer, index: number): Verdict {
    if (client.pending > 0) {
      // What is in flight goes by other lanes, and must not be overtaken.
      client.raiseBarrier();
      return LATER;
    }
    const router = this.#router;
    const node = router.nodeAt(index);
    const lane = node.takeBlocking(client.kind, client);
    if (lane === null) {
      if (!node.up) return router.refuse(client, command, node.downReply);
      if (!client.hold(router.waitsFor)) return router.refuse(client, command, noBlockingLane(node.name));
      node.blockingLanes.waitForLane(client);
      return LATER;
    }
    const frame = Buffer.from(framer.source.subarray(framer.frameStart, framer.frameEnd));
    const words = wordsIn(frame, framer);
    const count = Math.max(0, findKeys(command, args, framer.argc, framer.source));
    const keys = Array.from(keyPositions.at.subarray(0, count));
    const request = client.begin(command.id);
    client.raiseBarrier();
    const blocked = new BlockedCommand(router, this.#all, client, command, request, words, keys);
    client.blockOn(blocked);
    blocked.issue(lane, frame, 0, frame.length);
    if (client.inputHasEnded) blocked.hangUp();
    return TAKEN;
  }

  /** Commands that wait for keys on several nodes, and so at none of them. */
  get waitingHere(): number {
    return this.#apart.waiting;
  }

  /** Whether the command that `framer` holds waits, though its keys are on several nodes. */
  waitsApart(client: ClientConnection, command: Command, framer: RequestFramer): boolean {
    return this.#apart.takes(client, command) && mayWait(command, framer);
  }

  /** Lets the command that `framer` holds wait for its keys, which are on several nodes. @param count of keys in `keyPositions` */
  beginApart(client: ClientConnection, command: Command, framer: RequestFramer, count: number): Verdict {
    if (client.pending > 0) {
      client.raiseBarrier();
      return LATER;
    }
    const words = wordsIn(Buffer.from(framer.source.subarray(framer.frameStart, framer.frameEnd)), framer);
    const keys = Array.from(keyPositions.at.subarray(0, count));
    const request = client.begin(command.id);
    client.raiseBarrier();
    const timeout = timeoutFrom(command, words);
    this.#apart.begin({ client, command, request, words, keys, timeout, hasWaited: false, behind: [] });
    return TAKEN;
  }

  /**
   * Takes the commands off their nodes whose keys change hands. Their lanes are answered then: who waits until
   * nothing is in flight waits for these as well, but not for those that stay.
   */
  release(): void {
    const { snapshot } = this.#router;
    if (snapshot === null || !snapshot.rings.isChanging) return;
    for (const blocked of [...this.#all.atNode]) if (blocked.moves(snapshot)) blocked.leave();
  }

  /** Ends the wait of the client with this id, for one of another process. @returns whether there was one to end */
  endWaitOf(id: number, mode: UnblockMode): Promise<boolean> {
    return this.#unblock.endWaitOf(id, mode);
  }

  /** There is another snapshot: what was parked may go on. */
  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    for (const blocked of this.#all.parked) blocked.resumeSoon();
    this.#apart.onPublish(snapshot, nodes);
  }

  /** Clients are paused, or not any more. */
  onPause(): void {
    this.#apart.onPause();
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    const { requestTimeout } = this.#router.shared.options;
    for (const blocked of [...this.#all.parked]) blocked.checkTime(now, requestTimeout);
    this.#all.lateEnds.tick();
    this.#apart.tick(now);
  }

  close(): void {
    this.#apart.close();
  }
}
