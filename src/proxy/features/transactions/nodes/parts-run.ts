/**
 * Runs the parts of a stage: a MULTI … EXEC for each node.
 *
 * Without WATCH all parts go out at once. Where the client watches keys, nothing runs before every node has said that
 * they are as they were, in up to four steps, each of which waits for the one before it:
 *
 *   1  where keys are watched on several nodes    with commands: CLIENT INFO tells whether a key was changed
 *                                                 without:       MULTI EXEC tells it, and nothing runs
 *   2  a node with watched keys and commands      its part: EXEC looks once more, and decides for all
 *   3  others with watched keys and commands      their parts
 *   4  nodes without watched keys                 their parts
 *
 * A conflict in the first two steps voids all of it, as in Redis. So keys that are watched on one node guard the whole
 * transaction. With several such nodes a window remains between the first step and the third: a key that is changed in it
 * voids its node's part, and those that had not been sent, while others ran; the reply says which. Others that watch the
 * keys, or some of them, do not come into it: those of this process take turns from the first step on, also such as have
 * all of theirs on one node. Of those of other processes that watch the same keys one is first at the node that decides,
 * which is the first by its name; with only some in common they may void a part of each other.
 */
import type { Request } from '../../../request/request.js';
import { UNKNOWN_KEYS } from '../../../request/request.js';
import type { Turns } from '../../../route/turns.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { ClientShared } from '../../../session/session-shared.js';
import type { Lane } from '../../../upstream/lane.js';
import type { LaneKind } from '../../../upstream/lane-kind.js';
import { sendPiece } from '../piece.js';
import type { QueuedScripts } from '../ports.js';
import type { Transaction } from '../transaction.js';
import type { Watch } from '../watch.js';
import type { Part } from './part.js';
import { PartReplies } from './part-replies.js';
import { askWhetherChanged } from './watch-probe.js';

export interface PartsPorts {
  readonly shared: ClientShared;
  readonly scripts: QueuedScripts;
  /** Of those that watch the same keys. */
  readonly turns: Turns;
  /** Nothing is watched on the lane any more. @param told whether its node knows it already, by EXEC */
  readonly endWatch: (client: ClientConnection, lane: Lane, told: boolean) => void;
}

/** What the parts are of. */
export interface OfTransaction {
  readonly client: ClientConnection;
  /** EXEC, which stands in the client's queue. */
  readonly exec: Request;
  readonly transaction: Transaction;
}

/** The names of turns with the keys that are watched. */
export function turnsOf({ hashes }: Watch): string[] {
  return Array.from(hashes, String);
}

export class PartsRun {
  readonly #of: OfTransaction;
  readonly #parts: readonly Part[];
  readonly #kind: LaneKind;
  readonly #ports: PartsPorts;
  readonly #onEnd: () => void;
  readonly #steps: (() => void)[];
  /** Answers of the step at hand that are still to come. */
  #left = 0;
  /** What was not sent yet is not to be sent. */
  #isVoid = false;
  /** Others may have their turn with the keys that it watches. */
  #endTurn: () => void = () => {};

  /**
   * @param kind the protocol and database of the client by now
   * @param onEnd called when each part that was to be sent has an outcome
   */
  constructor(of: OfTransaction, parts: readonly Part[], kind: LaneKind, ports: PartsPorts, onEnd: () => void) {
    this.#of = of;
    this.#parts = parts;
    this.#kind = kind;
    this.#ports = ports;
    this.#onEnd = onEnd;
    this.#steps = this.#stepsOf(parts);
  }

  begin(): void {
    const guards = this.#guards();
    if (guards.length === 0) this.#next();
    else void this.#ports.turns.runWith(guards, () => this.#takeTurn());
  }

  /** Settles when it has ended. */
  #takeTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#endTurn = resolve;
      this.#next();
    });
  }

  #stepsOf(parts: readonly Part[]): (() => void)[] {
    const idle = parts.filter(({ watch, count }) => watch !== null && count === 0);
    const busy = parts.filter(({ watch, count }) => watch !== null && count > 0);
    const rest = parts.filter(({ watch, count }) => watch === null && count > 0);
    const steps: (() => void)[] = [];
    const [first, ...others] = busy.sort((a, b) => (a.node.name < b.node.name ? -1 : 1));
    // One that decides for all by its EXEC need not be asked before.
    if (idle.length > 0 || others.length > 0) steps.push(() => this.#probe(idle, others.length > 0 ? busy : []));
    if (first !== undefined) steps.push(() => this.#sendAll([first]));
    for (const step of [others, rest]) if (step.length > 0) steps.push(() => this.#sendAll(step));
    return steps;
  }

  /** Keys that it watches. */
  #guards(): string[] {
    return this.#parts.flatMap(({ watch }) => (watch === null ? [] : turnsOf(watch)));
  }

  #next(): void {
    const step = this.#isVoid ? undefined : this.#steps.shift();
    if (step === undefined) this.#end();
    else step();
  }

  /** @param idle parts without commands @param busy those whose EXEC would run them */
  #probe(idle: readonly Part[], busy: readonly Part[]): void {
    this.#left = idle.length + busy.length + 1;
    for (const part of idle) this.#send(part);
    for (const part of busy) this.#ask(part);
    this.#answered();
  }

  #sendAll(parts: readonly Part[]): void {
    // One more until all were sent: a node that is down by now answers at once.
    this.#left = parts.length + 1;
    for (const part of parts) this.#send(part);
    // Not before all of them have brought their scripts along.
    if (this.#of.transaction.flushesScripts && this.#steps.length === 0) this.#ports.scripts.flush();
    this.#answered();
  }

  /** Asks whether a key was changed that is watched at the part's node. */
  #ask(part: Part): void {
    const { lane, node } = part;
    if (lane === null || lane.closed) {
      this.#fail(part, node.up ? null : node.downReply);
      return;
    }
    askWhetherChanged(lane, this.#ports.shared.requests, (changed) => {
      if (changed === 'lost') this.#fail(part, node.up ? null : node.downReply);
      else {
        if (changed === 'yes') {
          part.endConflict();
          this.#isVoid = true;
        }
        this.#answered();
      }
    });
  }

  #send(part: Part): void {
    const { shared, scripts, endWatch } = this.#ports;
    const { client, exec: own, transaction } = this.#of;
    const { requests, clock } = shared;
    const lane = part.lane ?? part.node.pick(this.#kind);
    if (lane === null || lane.closed) {
      this.#fail(part, part.node.up ? null : part.node.downReply);
      return;
    }
    const replies = new PartReplies(own, part, requests, () => {
      if (part.outcome !== 'ran' && part.watch !== null) this.#isVoid = true;
      this.#answered();
    });
    const exec = requests.take();
    exec.answerTo(replies);
    exec.command = own.command;
    exec.startedAt = clock.now;
    exec.keys = transaction.concernsAllKeys ? UNKNOWN_KEYS : part.keys;
    exec.keyHash = part.keyHash;
    exec.runsCode = transaction.runsCode;
    const piece = {
      lane,
      frames: part.frames.take(),
      digests: transaction.digests,
      kind: this.#kind,
      selects: transaction.selects.length > 0,
    };
    sendPiece(piece, scripts, requests.take(), replies.before, exec);
    if (part.watch !== null) endWatch(client, lane, true);
    part.isSent = true;
  }

  /** There is no connection to send the part by. @param reply null: the node is up, and what was watched there nobody knows */
  #fail(part: Part, reply: Buffer | null): void {
    if (reply === null) part.endConflict();
    else part.endFailed(reply);
    if (part.watch !== null) this.#isVoid = true;
    this.#answered();
  }

  #answered(): void {
    if (--this.#left === 0) this.#next();
  }

  #end(): void {
    const { client } = this.#of;
    this.#endTurn();
    for (const { watch, isSent } of this.#parts) {
      if (watch !== null && !isSent) this.#ports.endWatch(client, watch.lane, false);
    }
    this.#onEnd();
  }
}
