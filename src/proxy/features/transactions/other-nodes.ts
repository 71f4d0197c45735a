/**
 * What of a transaction concerns every node (FLUSHALL, SCRIPT LOAD, CONFIG SET …). It runs in the transaction on its
 * node; when EXEC went well there, the others get it, too, and EXEC is answered when all of them have answered. So
 * whoever has the answer of EXEC finds no node that lacks it, though it is not atomic over nodes.
 */
import type { Tolerance } from '../../../commands/command.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

const ERROR_BYTE = 0x2d;

/** A queued command that concerns every node. */
export interface ForEveryNode {
  readonly frame: Buffer;
  /** Its position among the queued commands. */
  readonly at: number;
  /** The database that it is about. */
  readonly database: number;
  /** Which failures of other nodes do not matter to it. */
  readonly tolerance: Tolerance;
}

/** One transaction's commands on their way to the nodes that it does not run on. */
export class OtherNodes implements ReplySink {
  readonly #commands: readonly ForEveryNode[];
  readonly #requests: RequestPool;
  readonly #onAnswered: (errors: ReadonlyMap<number, Buffer>) => void;
  /** The first node's error for each command, by the command's position. */
  readonly #errors = new Map<number, { readonly node: number; readonly reply: Buffer }>();
  #nodes: readonly UpstreamNode[] = [];
  #remaining = 0;

  /**
   * @param onAnswered called once, when no node's answer is missing, with the errors that they have answered, by the
   * positions of their commands among the queued ones
   */
  constructor(
    commands: readonly ForEveryNode[],
    requests: RequestPool,
    onAnswered: (errors: ReadonlyMap<number, Buffer>) => void,
  ) {
    this.#commands = commands;
    this.#requests = requests;
    this.#onAnswered = onAnswered;
  }

  /** Sends the commands to these nodes. @param now by the clock */
  send(nodes: readonly UpstreamNode[], protocol: LaneKind['protocol'], now: number): void {
    this.#nodes = nodes;
    // Until all were sent: a node that is down answers at once.
    this.#remaining = 1;
    for (const [index, node] of nodes.entries()) {
      for (const [part, { frame, database }] of this.#commands.entries()) {
        const lane = node.pick({ protocol, database });
        if (lane === null) {
          this.#fail(part, index, node.downReply, true);
          continue;
        }
        const request = this.#requests.take();
        request.answerTo(this);
        request.part = index * this.#commands.length + part;
        request.startedAt = now;
        this.#remaining++;
        lane.send(request, frame, 0, frame.length);
      }
    }
    this.#answered();
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (buffer[start] === ERROR_BYTE) this.#failRequest(request, Buffer.from(buffer.subarray(start, end)), false);
    this.#requests.give(request);
    this.#answered();
  }

  onFailure(request: Request, reply: Buffer): void {
    this.#failRequest(request, reply, true);
    this.#requests.give(request);
    this.#answered();
  }

  #failRequest({ part }: Request, reply: Buffer, isDown: boolean): void {
    const { length } = this.#commands;
    this.#fail(part % length, Math.floor(part / length), reply, isDown);
  }

  /** Of several errors the first node's counts, so that the answer does not depend on who was faster. */
  #fail(part: number, index: number, reply: Buffer, isDown: boolean): void {
    const { at, tolerance } = this.#commands[part] as ForEveryNode;
    if (tolerance === 'errors' || (tolerance === 'down' && isDown)) return;
    const known = this.#errors.get(at);
    if (known !== undefined && known.node <= index) return;
    this.#errors.set(at, { node: index, reply: isDown ? reply : withName(reply, this.#nodes[index]?.name ?? '') });
  }

  #answered(): void {
    if (--this.#remaining > 0) return;
    this.#onAnswered(new Map([...this.#errors].map(([at, { reply }]) => [at, reply])));
  }
}

/** A node's own error gets the node's name behind it: the client cannot know which it was. */
function withName(reply: Buffer, node: string): Buffer {
  return Buffer.from(`${reply.toString('latin1', 0, reply.length - 2)} (node ${node})\r\n`, 'latin1');
}
