/**
 * Commands that wait: those at their nodes (BLPOP and the like), those that wait for a change of the ring instead, and
 * WAIT. CLIENT UNBLOCK ends any of them.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Peers, UnblockMode } from '../../peers/peers.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { LocalCommand } from '../local-command.js';
import { BlockedCommand, noBlockingLane } from './blocked-command.js';
import { ClientUnblock } from './client-unblock.js';
import { LateEnds } from './late-ends.js';
import { waitCommand } from './wait.js';

export class Blocking {
  readonly commands: Readonly<Record<'client|unblock' | 'wait' | 'waitaof', LocalCommand>>;
  readonly #router: Router;
  readonly #unblock: ClientUnblock;
  readonly #atNode = new Set<BlockedCommand>();
  readonly #parked = new Set<BlockedCommand>();
  readonly #lateEnds = new LateEnds();

  /** @param peers null: there are no other processes */
  constructor(router: Router, peers: Peers | null) {
    this.#router = router;
    this.#unblock = new ClientUnblock(router.shared.clients, peers);
    const wait = waitCommand(router, this.#lateEnds);
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
    const places = { atNode: this.#atNode, parked: this.#parked, lateEnds: this.#lateEnds };
    const blocked = new BlockedCommand(router, places, client, command, request, words, keys);
    client.blockOn(blocked);
    blocked.issue(lane, frame, 0, frame.length);
    if (client.inputHasEnded) blocked.hangUp();
    return TAKEN;
  }

  /**
   * Takes the commands off their nodes whose keys change hands. Their lanes are answered then: who waits until
   * nothing is in flight waits for these as well, but not for those that stay.
   */
  release(): void {
    const { snapshot } = this.#router;
    if (snapshot === null || !snapshot.rings.isChanging) return;
    for (const blocked of [...this.#atNode]) if (blocked.moves(snapshot)) blocked.leave();
  }

  /** Ends the wait of the client with this id, for one of another process. @returns whether there was one to end */
  endWaitOf(id: number, mode: UnblockMode): Promise<boolean> {
    return this.#unblock.endWaitOf(id, mode);
  }

  /** There is another snapshot: what was parked may go on. */
  onPublish(): void {
    for (const blocked of this.#parked) blocked.resumeSoon();
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    const { requestTimeout } = this.#router.shared.options;
    for (const blocked of [...this.#parked]) blocked.checkTime(now, requestTimeout);
    this.#lateEnds.tick();
  }
}
