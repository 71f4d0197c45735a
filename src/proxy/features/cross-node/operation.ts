/**
 * A client's command that takes several steps, at several nodes.
 *
 *   client ── command ──▶ steps: ask a node, ask another one, … ──▶ one reply
 *
 * Its request stands in the client's queue, and what the client sends behind it waits. Once begun it goes on to its end,
 * also when the client leaves: half of it would be worse. Each step takes `request-timeout` at most. While one runs no
 * key that it touches changes hands: a fence waits for it (`running.ts`).
 */

import type { Command } from '../../../commands/command.js';
import { MINUS } from '../../../resp/bytes.js';
import { error as encodeError, request as encodeRequest } from '../../../resp/encode.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import { passOn } from '../../request/rewritten-reply.js';
import type { FrameBehind, Steps } from '../../request/steps.js';
import { type ApartOutcome, breaks } from '../../route/apart-commands.js';
import { refusalOf } from '../../route/node-refusals.js';
import { noPrivateLaneReply } from '../../route/replies.js';
import type { Turns } from '../../route/turns.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { askOn } from './answers.js';
import { elementsOf, inTransaction } from './exec.js';
import { Session } from './session.js';
import { StepFailed } from './step-failed.js';

const CONTENDED = encodeError(
  'TRYAGAIN others write the keys of this command all the time, which are on several nodes',
);

/** A command on several nodes, as it came. */
export interface Call {
  readonly command: Command;
  /** The arguments, the command's name included. */
  readonly words: readonly Buffer[];
  /** Where its keys stand among them. */
  readonly keys: readonly number[];
  /** The node of each of these keys. */
  readonly owners: readonly UpstreamNode[];
  /** Where another key may be: while it moves on one of two, first the one that it leaves. */
  readonly nodesOf: (key: Buffer) => readonly UpstreamNode[];
  /** The client's protocol and database. */
  readonly kind: LaneKind;
  /** Bytes of values that it may take from node to node. */
  readonly maxBytes: number;
}

/** Carries out a command by steps. @returns the reply @throws StepFailed with another one */
export type Way = (operation: Operation) => Promise<Buffer>;

export class Operation implements Steps {
  readonly call: Call;
  readonly #client: ClientConnection;
  readonly #request: Request;
  readonly #requests: RequestPool;
  readonly #turns: Turns;
  readonly #begun: number;
  /** What goes behind it, and to which of its keys. */
  readonly #behind: FrameBehind[] = [];

  /** @param request stands in the client's queue already */
  constructor(client: ClientConnection, request: Request, requests: RequestPool, turns: Turns, call: Call) {
    this.#client = client;
    this.#request = request;
    this.#requests = requests;
    this.#turns = turns;
    this.#begun = firstOf(call.owners).shared.clock.now;
    this.call = call;
    request.steps = this;
  }

  sendBehind(key: Buffer, frame: Buffer): void {
    this.#behind.push({ key, frame });
  }

  /** Carries it out, and answers the client. Settles then, and never rejects. */
  async run(way: Way): Promise<void> {
    const reply = await this.replyOf(way);
    for (const { key, frame } of this.#behind) await this.#tell(key, frame);
    passOn(this.#request, this.#requests, reply, 0, reply.length);
  }

  /** Carries it out. @returns settles with the reply, which may be an error, and never rejects */
  async replyOf(way: Way): Promise<Buffer> {
    return (await this.outcomeOf(way)).reply;
  }

  /** As `replyOf`. */
  async outcomeOf(way: Way): Promise<ApartOutcome> {
    try {
      const reply = await way(this);
      return { reply, isBroken: breaks(reply) };
    } catch (error) {
      if (error instanceof StepFailed) return { reply: error.reply, isBroken: error.isOwn || breaks(error.reply) };
      return { reply: encodeError(`ERR ${this.call.command.name} failed: ${error}`), isBroken: true };
    }
  }

  /** Nobody sees what the node answers. */
  async #tell(key: Buffer, frame: Buffer): Promise<void> {
    const { words, keys, owners } = this.call;
    const node = owners[keys.findIndex((at) => words[at]?.equals(key))];
    try {
      if (node !== undefined) await this.ask(node, [frame]);
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    }
  }

  /**
   * Asks on a connection that others use as well.
   * @returns the replies, each whole
   * @throws StepFailed when the node is down, or the connection fails
   */
  async ask(node: UpstreamNode, frames: readonly Uint8Array[]): Promise<Buffer[]> {
    for (;;) {
      const lane = node.pick(this.call.kind);
      if (lane === null) throw new StepFailed(node.downReply, true);
      if (!lane.full) {
        const replies = await askOn(lane, this.call.command.id, frames, this.call.command.crossNode === 'code');
        return replies.map((reply) => this.#named(node, reply));
      }
      await roomOn(lane);
    }
  }

  /** A reply of the node's; when it says that it cannot do its work, with its name and key. */
  #named(node: UpstreamNode, reply: Buffer): Buffer {
    if (reply[0] !== MINUS) return reply;
    const { command, keys, words, owners } = this.call;
    const own = keys.filter((_, i) => owners[i] === node).map((at) => words[at] as Buffer);
    return refusalOf(reply, node, command.name, own);
  }

  /** As `ask`, one command. @returns its reply, an error of the node's as well @throws StepFailed as `ask` */
  async one(node: UpstreamNode, words: readonly (string | Uint8Array)[]): Promise<Buffer> {
    return firstOf(await this.ask(node, [encodeRequest(words)]));
  }

  /** Runs it when all commands of this process have ended that have asked before for a turn with one of its keys. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const { keys, words, kind } = this.call;
    const names = keys.map((at) => `${kind.database} ${words[at]?.toString('latin1')}`);
    return this.#turns.runWith(names, () => {
      this.again();
      return run();
    });
  }

  /** Another round is about to begin, since somebody else came in between. @throws StepFailed when they do for too long */
  again(): void {
    const { clock, options } = firstOf(this.call.owners).shared;
    if (clock.now - this.#begun > options.requestTimeout) throw new StepFailed(CONTENDED, true);
  }

  /** As `ask`, as a transaction. @returns the reply of each command */
  async exec(node: UpstreamNode, frames: readonly Uint8Array[]): Promise<Buffer[]> {
    return elementsOf(await this.ask(node, inTransaction(frames))) ?? [];
  }

  /** A connection to the node for this command alone. Whoever takes it ends it. @throws StepFailed when there is none to have */
  async session(node: UpstreamNode): Promise<Session> {
    const { clock, options } = node.shared;
    const since = clock.now;
    for (;;) {
      const lane = node.takePrivate(this.call.kind, this.#client);
      if (lane !== null) return new Session(lane, this.call.command.id, (reply) => this.#named(node, reply));
      if (!node.up) throw new StepFailed(node.downReply, true);
      if (clock.now - since > options.requestTimeout) throw new StepFailed(noPrivateLaneReply(node.name), true);
      await freeLane(node);
    }
  }
}

/** @param elements that there are, at least one */
function firstOf<T>(elements: readonly T[]): T {
  return elements[0] as T;
}

function roomOn(lane: Lane): Promise<void> {
  return new Promise((resolve) => lane.resumeWithRoom({ closed: false, resumeSoon: resolve }));
}

function freeLane(node: UpstreamNode): Promise<void> {
  return new Promise((resolve) => node.privateLanes.waitForLane({ closed: false, resumeSoon: resolve }));
}
