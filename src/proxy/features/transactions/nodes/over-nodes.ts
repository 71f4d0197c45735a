/** EXEC of a transaction whose keys are on several nodes: what it waits for, and how it is cut. */
import type { Command } from '../../../../commands/command.js';
import type { RequestFramer } from '../../../../resp/request-framer.js';
import { LATER, TAKEN } from '../../../request/verdict.js';
import { Placement } from '../../../route/merge/placement.js';
import type { Router } from '../../../route/router.js';
import { Turns } from '../../../route/turns.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../../route/waiting.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { RoutingSnapshot } from '../../../snapshot.js';
import type { AfterRun } from '../after-run.js';
import { holdMoves, publishesTooEarly } from '../before-exec.js';
import type { TransactionPorts } from '../ports.js';
import type { Transaction } from '../transaction.js';
import type { Watched } from '../watch.js';
import type { Watches } from '../watches.js';
import { Cutter } from './cut.js';
import { type CutTransaction, ExecOverNodes, type ExecPorts } from './exec-over-nodes.js';
import { turnsOf } from './parts-run.js';
import { placesOf } from './places.js';

/** Keys of a transaction that are remembered, to say what they look like. */
const NOTED_KEYS = 16;

export class OverNodes {
  readonly #router: Router;
  readonly #watches: Watches;
  readonly #ports: TransactionPorts;
  readonly #execPorts: ExecPorts;

  constructor(router: Router, watches: Watches, ports: TransactionPorts, afterRun: AfterRun) {
    this.#router = router;
    this.#watches = watches;
    this.#ports = ports;
    this.#execPorts = {
      shared: router.shared,
      scripts: ports.scripts,
      afterRun,
      turns: new Turns(),
      endWatch: watches.endOn,
    };
  }

  /** Whether a transaction over nodes that watches one of these keys is under way: others of this process wait for it. */
  isBusyWith({ watches }: Watched): boolean {
    const { turns } = this.#execPorts;
    return !turns.isEmpty && watches.some((watch) => turns.isTaken(turnsOf(watch)));
  }

  /**
   * @param watched taken from the client when it is sent
   * @param ofAll every node has a part
   * @returns LATER: the client waits; TAKEN: it was sent; otherwise EXEC's reply, and nothing was sent to anyone
   */
  run(
    client: ClientConnection,
    command: Command,
    framer: RequestFramer,
    transaction: Transaction,
    watched: Watched | null,
    snapshot: RoutingSnapshot,
    ofAll = false,
  ): typeof LATER | typeof TAKEN | Buffer {
    const router = this.#router;
    const places = placesOf(router, client, transaction, watched, snapshot, ofAll);
    if (places === WAIT) return LATER;
    if (places === GAVE_UP) return GAVE_UP_REPLY;
    const { parts } = places;
    const isWatching = watched !== null;
    if (client.pending > 0 && (isWatching || transaction.everywhere.length > 0)) {
      // Some of it goes by lanes that are not the client's own: it must not overtake what is in flight.
      client.raiseBarrier();
      return LATER;
    }
    for (const part of parts) {
      if (!part.node.up) return part.node.downReply;
      // What is sent in a later step goes by any lane that is there then.
      if (!isWatching) part.lane = router.laneFor(client, part.index);
      if (part.lane === null && !isWatching) return part.node.downReply;
      if (part.lane?.full === true) {
        client.waitFor(part.lane);
        return LATER;
      }
    }
    const moves = holdMoves(router, client, transaction);
    if (moves === WAIT) return LATER;
    if (moves === GAVE_UP) return GAVE_UP_REPLY;
    const { publishGate } = this.#ports;
    if (parts.some(({ node }) => publishesTooEarly(publishGate, client, framer, transaction, node))) {
      moves?.releaseMoves();
      return LATER;
    }
    const cutter = new Cutter(router, client, transaction, places);
    const uncut = cutter.cut();
    if (uncut !== null) {
      moves?.releaseMoves();
      return uncut === 'waits' ? LATER : uncut;
    }
    const others = router.nodes.filter((node) => !parts.some((part) => part.node === node));
    if (cutter.isInSteps) {
      // What concerns every node must have reached all of them before what stands behind it.
      const isOfAll = ofAll || transaction.everywhere.length === 0 || others.length === 0;
      if (!isOfAll || client.pending > 0) moves?.releaseMoves();
      if (!isOfAll) return this.run(client, command, framer, transaction, watched, snapshot, true);
      if (client.pending > 0) {
        // What takes steps goes by lanes that are not the client's own.
        client.raiseBarrier();
        return LATER;
      }
    }
    // One whose keys are on one node only waits for its turn here.
    const isApart = parts.length > 1 || cutter.isInSteps;
    const noted = isApart ? someKeysOf(transaction) : [];
    if (noted.length > 1) router.shared.counters.apartKeys.note(command, noted, 1);
    if (watched !== null) this.#watches.take(client);
    const placement = new Placement(snapshot.rings, router.localKeys);
    this.#start(client, command, { transaction, stages: cutter.stages, others, moves, placement }, isApart);
    return TAKEN;
  }

  #start(client: ClientConnection, command: Command, cut: CutTransaction, isApart: boolean): void {
    const { counters, clock } = this.#router.shared;
    const begun = clock.now;
    let settle: () => void = () => {};
    // Between its steps nothing of it may be in flight.
    this.#ports.isUnderWay(new Promise((resolve) => (settle = resolve)));
    const exec = client.begin(command.id);
    // The parts are known by no request of the client's: what it sends next could overtake them by other lanes.
    client.raiseBarrier();
    new ExecOverNodes(client, exec, cut, this.#execPorts, () => {
      settle();
      this.#ports.logins.release(client);
      if (isApart) counters.crossNode.count(command.name, 'transaction', clock.read() - begun);
    }).begin();
  }
}

/** Some of its keys, as latin1. */
function someKeysOf({ frames }: Transaction): string[] {
  const count = Math.min(frames.keyCount, NOTED_KEYS);
  return Array.from({ length: count }, (_, i) => frames.keyAt(i).toString('latin1'));
}
