/**
 * A transaction whose keys are on several nodes: a MULTI … EXEC for each (`parts-run.ts`), and one reply made of theirs. It
 * is atomic on each node, not over them.
 *
 * Commands that take steps over several nodes divide it into stages, which run one after the other:
 *
 *   MULTI   SET a 1   GET b   RENAME a b   RENAME c d   GET b   EXEC
 *
 *   parts            a: SET      b: GET
 *   steps behind     RENAME a b, then RENAME c d
 *   parts            b: GET
 *
 * Keys are watched until the parts of the first stage have run: nothing runs before, and nothing is void behind that. Where
 * a node fails, or refuses its part, nothing further is begun: it is as if the transaction had ended there, and the reply
 * says so at the places of what is left. An error of a command itself (WRONGTYPE) is its answer, as in Redis, and the next
 * one runs.
 *
 * Once begun it goes on to its end, also when its client leaves.
 */
import { error as encodeError, nullArray } from '../../../../resp/encode.js';
import type { KeyMoves } from '../../../key-moves.js';
import type { Request } from '../../../request/request.js';
import type { Placement } from '../../../route/merge/placement.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { LaneKind } from '../../../upstream/lane-kind.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { type AfterRun, type Elements, hasMore } from '../after-run.js';
import type { Transaction } from '../transaction.js';
import { JoinedReplies } from './join-replies.js';
import { type PartsPorts, PartsRun } from './parts-run.js';
import type { Stage } from './stage.js';

const NOTHING_ELSE: Elements = new Map();
const CRLF = 2;

/** A transaction that was cut. */
export interface CutTransaction {
  readonly transaction: Transaction;
  /** One at least. */
  readonly stages: readonly Stage[];
  /** The nodes of the ring that have no part. */
  readonly others: readonly UpstreamNode[];
  /** Of which no key is in flight until it has run; null: they need not be held. */
  readonly moves: KeyMoves | null;
  /** Which keys of a node clients see. */
  readonly placement: Placement;
}

export interface ExecPorts extends PartsPorts {
  readonly afterRun: AfterRun;
}

export class ExecOverNodes {
  readonly #client: ClientConnection;
  readonly #exec: Request;
  readonly #cut: CutTransaction;
  readonly #ports: ExecPorts;
  readonly #onEnd: () => void;
  /** The client's protocol and database, as it has selected it by now. */
  #kind: LaneKind;

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
  }

  begin(): void {
    this.#run(0);
  }

  /** Runs the stage with this number, and those behind it. */
  #run(number: number): void {
    const { transaction, stages } = this.#cut;
    const stage = stages[number];
    if (stage === undefined) {
      this.#end();
      return;
    }
    const of = { client: this.#client, exec: this.#exec, transaction };
    new PartsRun(of, stage.parts, this.#kind, this.#ports, () => {
      const { culprit } = stage;
      if (culprit !== undefined) this.#endAt(culprit.why);
      else if (stage.behind.length === 0) this.#run(number + 1);
      else void this.#goBehind(stage, number);
    }).begin();
  }

  /** Never rejects. */
  async #goBehind(stage: Stage, number: number): Promise<void> {
    this.#follow(stage);
    for (const steps of stage.behind) {
      const outcome = await steps.call.carryOut(this.#kind);
      steps.outcome = outcome;
      if (outcome.isBroken) {
        this.#endAt(outcome.reply.toString('latin1', 1, outcome.reply.length - CRLF));
        return;
      }
    }
    this.#run(number + 1);
  }

  /** What follows the stage's parts runs in the database that these have selected. */
  #follow(stage: Stage): void {
    const { transaction, placement } = this.#cut;
    const { selects } = transaction;
    if (!selects.some(({ at }) => at >= stage.first)) return;
    const { selected } = new JoinedReplies([stage], transaction, NOTHING_ELSE, placement);
    if (selected >= 0) this.#kind = { ...this.#kind, database: selected };
  }

  /** What has not run is not to run. @param why for people; one character a byte (latin1) */
  #endAt(why: string): void {
    const left = encodeError(`EXECABORT The command was not carried out, others were: ${why}`, 'latin1');
    for (const { parts, behind } of this.#cut.stages) {
      for (const part of parts) if (part.count > 0 && part.outcome === 'waits') part.endRefused(why);
      for (const steps of behind) steps.outcome ??= { reply: left, isBroken: true };
    }
    this.#end();
  }

  #end(): void {
    const { stages, transaction, others, moves } = this.#cut;
    const [first] = stages;
    if (first?.culprit !== undefined && !first.parts.some(({ outcome, count }) => outcome === 'ran' && count > 0)) {
      moves?.releaseMoves();
      this.#answer([this.#replyOfNone(first)]);
      return;
    }
    if (!hasMore(transaction)) {
      moves?.releaseMoves();
      this.#join(NOTHING_ELSE);
      return;
    }
    this.#ports.afterRun.carryOut(this.#client, this.#more(), others, moves, (elements) => this.#join(elements));
  }

  /** What is to be done beside the nodes' work, of the stages that have run. */
  #more(): Pick<Transaction, 'everywhere' | 'ownParts' | 'answeredHere'> {
    const { everywhere, ownParts, answeredHere } = this.#cut.transaction;
    const [first] = everywhere;
    const isReached = first !== undefined && this.#stageOf(first.at).parts.some(({ outcome }) => outcome === 'ran');
    return {
      everywhere,
      ownParts: isReached ? ownParts : [],
      answeredHere: answeredHere.filter(({ at }) => this.#stageOf(at).parts[0]?.outcome === 'ran'),
    };
  }

  /** @param at the position of a command in the queue */
  #stageOf(at: number): Stage {
    const { stages } = this.#cut;
    return stages.findLast(({ first }) => first <= at) ?? (stages[0] as Stage);
  }

  /** Nothing was carried out, as far as is known. */
  #replyOfNone({ parts }: Stage): Buffer {
    const failed = parts.find(({ outcome }) => outcome === 'failed');
    if (failed !== undefined) return failed.reply;
    if (parts.some(({ outcome }) => outcome === 'conflict')) return nullArray(this.#kind.protocol);
    const refused = parts.find(({ outcome }) => outcome === 'refused');
    const why = refused === undefined ? '' : `${refused.why} (node ${refused.node.name})`;
    return encodeError(`EXECABORT Transaction discarded because of: ${why}`, 'latin1');
  }

  #join(elements: Elements): void {
    const { stages, transaction, placement } = this.#cut;
    for (const { parts } of stages) {
      const short = JoinedReplies.short(parts);
      if (short === undefined) continue;
      const text = `ERR node ${short.node.name} has answered another number of commands than it was sent`;
      this.#answer([encodeError(text)]);
      return;
    }
    const joined = new JoinedReplies(stages, transaction, elements, placement);
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
