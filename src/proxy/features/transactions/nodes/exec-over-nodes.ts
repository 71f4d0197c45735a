/**
 * A transaction whose keys are on several nodes: a MULTI … EXEC for each, and one reply made of theirs. It is atomic on
 * each node, not over them.
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
 * same keys do not come into it: those of this process take turns from the first step on, and of those of other processes
 * one is first at the node that decides, which is the first by its name.
 *
 * Once begun it goes on to its end, also when its client leaves.
 */
import { error as encodeError, nullArray } from '../../../../resp/encode.js';
import type { KeyMoves } from '../../../key-moves.js';
import { type Request, UNKNOWN_KEYS } from '../../../request/request.js';
import type { Placement } from '../../../route/merge/placement.js';
import type { Turns } from '../../../route/turns.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { ClientShared } from '../../../session/session-shared.js';
import type { Lane } from '../../../upstream/lane.js';
import type { LaneKind } from '../../../upstream/lane-kind.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { type AfterRun, type Elements, hasMore } from '../after-run.js';
import { sendPiece } from '../piece.js';
import type { QueuedScripts } from '../ports.js';
import type { Transaction } from '../transaction.js';
import { JoinedReplies } from './join-replies.js';
import type { Part } from './part.js';
import { PartReplies } from './part-replies.js';
import type { ReplyOrder } from './reply-order.js';
import { askWhetherChanged } from './watch-probe.js';

const NOTHING_ELSE: Elements = new Map();

/** A transaction that was cut. */
export interface CutTransaction {
  readonly transaction: Transaction;
  readonly parts: readonly Part[];
  readonly order: ReplyOrder;
  /** The nodes of the ring that have no part. */
  readonly others: readonly UpstreamNode[];
  /** Of which no key is in flight until it has run; null: they need not be held. */
  readonly moves: KeyMoves | null;
  /** Which keys of a node clients see. */
  readonly placement: Placement;
}

export interface ExecPorts {
  readonly shared: ClientShared;
  readonly scripts: QueuedScripts;
  readonly afterRun: AfterRun;
  /** Of those that watch the same keys. */
  readonly turns: Turns;
  /** Nothing is watched on the lane any more. @param told whether its node knows it already, by EXEC */
  readonly endWatch: (client: ClientConnection, lane: Lane, told: boolean) => void;
}

export class ExecOverNodes {
  readonly #client: ClientConnection;
  readonly #exec: Request;
  readonly #cut: CutTransaction;
  readonly #ports: ExecPorts;
  readonly #kind: LaneKind;
  readonly #onEnd: () => void;
  readonly #steps: (() => void)[];
  /** Answers of the step at hand that are still to come. */
  #left = 0;
  /** What was not sent yet is not to be sent. */
  #isVoid = false;
  /** Others may have their turn with the keys that it watches. */
  #endTurn: () => void = () => {};

  /**
   * @param exec stands in the client's queue already
   * @param onEnd called when it has ended, right before EXEC is answered
   */
  constructor(client: ClientConnection, exec: Request, cut: CutTransaction, ports: ExecPorts, onEnd: () => void) {
    this.#client = client;
    this.#exec = exec;
    this.#cut = cut;
    this.#ports = ports;
    this.#kind = client.kind;
    this.#onEnd = onEnd;
    this.#steps = this.#stepsOf(cut.parts);
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
    const rest = parts.filter(({ watch }) => watch === null);
    const steps: (() => void)[] = [];
    const [first, ...others] = busy.sort((a, b) => (a.node.name < b.node.name ? -1 : 1));
    // One that decides for all by its EXEC need not be asked before.
    if (idle.length > 0 || others.length > 0) steps.push(() => this.#probe(idle, others.length > 0 ? busy : []));
    if (first !== undefined) steps.push(() => this.#sendAll([first]));
    for (const step of [others, rest]) if (step.length > 0) steps.push(() => this.#sendAll(step));
    return steps;
  }

  /** Keys that it watches, by their hashes, where they are on several nodes. */
  #guards(): string[] {
    const watches = this.#cut.parts.flatMap(({ watch }) => (watch === null ? [] : [watch]));
    if (watches.length < 2) return [];
    return watches.flatMap(({ hashes }) => Array.from(hashes, String));
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
    if (this.#cut.transaction.flushesScripts && this.#steps.length === 0) this.#ports.scripts.flush();
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
    const { transaction } = this.#cut;
    const { requests, clock } = shared;
    const lane = part.lane ?? part.node.pick(this.#kind);
    if (lane === null || lane.closed) {
      this.#fail(part, part.node.up ? null : part.node.downReply);
      return;
    }
    const replies = new PartReplies(this.#exec, part, requests, () => {
      if (part.outcome !== 'ran' && part.watch !== null) this.#isVoid = true;
      this.#answered();
    });
    const exec = requests.take();
    exec.answerTo(replies);
    exec.command = this.#exec.command;
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
    if (part.watch !== null) endWatch(this.#client, lane, true);
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
    const { parts, transaction, others, moves } = this.#cut;
    const { afterRun, endWatch } = this.#ports;
    this.#endTurn();
    for (const { watch, isSent } of parts) if (watch !== null && !isSent) endWatch(this.#client, watch.lane, false);
    const culprit = parts.find(({ outcome }) => outcome !== 'ran' && outcome !== 'waits');
    for (const part of parts) if (part.outcome === 'waits') part.endRefused(culprit?.why ?? '');
    if (culprit !== undefined && !parts.some(({ outcome, count }) => outcome === 'ran' && count > 0)) {
      moves?.releaseMoves();
      this.#answer([this.#replyOfNone()]);
      return;
    }
    if (!hasMore(transaction)) {
      moves?.releaseMoves();
      this.#join(NOTHING_ELSE);
      return;
    }
    const { everywhere, ownParts } = transaction;
    const answeredHere = parts[0]?.outcome === 'ran' ? transaction.answeredHere : [];
    afterRun.carryOut(this.#client, { everywhere, ownParts, answeredHere }, others, moves, (elements) =>
      this.#join(elements),
    );
  }

  /** Nothing was carried out, as far as is known. */
  #replyOfNone(): Buffer {
    const { parts } = this.#cut;
    const failed = parts.find(({ outcome }) => outcome === 'failed');
    if (failed !== undefined) return failed.reply;
    if (parts.some(({ outcome }) => outcome === 'conflict')) return nullArray(this.#kind.protocol);
    const refused = parts.find(({ outcome }) => outcome === 'refused');
    const why = refused === undefined ? '' : `${refused.why} (node ${refused.node.name})`;
    return encodeError(`EXECABORT Transaction discarded because of: ${why}`, 'latin1');
  }

  #join(elements: Elements): void {
    const { parts, order, transaction, placement } = this.#cut;
    const short = JoinedReplies.short(parts);
    if (short !== undefined) {
      const text = `ERR node ${short.node.name} has answered another number of commands than it was sent`;
      this.#answer([encodeError(text)]);
      return;
    }
    const joined = new JoinedReplies(parts, order, transaction, elements, placement);
    if (joined.selected >= 0 && !this.#client.closed) {
      this.#client.lanes.changeKind(this.#client.kind.protocol, joined.selected);
    }
    this.#answer(joined.bytes.take());
  }

  /** @param pieces of the reply, of which there is one at least */
  #answer(pieces: readonly Buffer[]): void {
    const request = this.#exec;
    this.#onEnd();
    const { client } = request;
    if (client === null) {
      this.#ports.shared.requests.give(request);
      return;
    }
    const [first] = pieces;
    if (first !== undefined && pieces.length === 1) client.onReply(request, first, 0, first.length);
    else {
      for (const [i, piece] of pieces.entries()) {
        client.onReplyPiece(request, null, piece, 0, piece.length, i === pieces.length - 1);
      }
    }
  }
}
