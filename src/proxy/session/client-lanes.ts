import type { Requester } from '../request/requester.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { Lane } from '../upstream/lane.js';
import type { LaneKind } from '../upstream/lane-kind.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import type { ReplyQueue } from './reply-queue.js';

/**
 * By which lanes a client's commands go. It stays with its lane to a node for as long as it has replies to come from
 * there, so that none of its commands overtakes another one, whatever lanes come and go.
 */
export class ClientLanes {
  /** The snapshot whose nodes the lanes lead to; null: none yet. */
  snapshot: RoutingSnapshot | null = null;
  /** Protocol and database. */
  kind: LaneKind = { protocol: 2, database: 0 };
  readonly #client: Requester;
  readonly #replies: ReplyQueue;
  /** Index-aligned with the snapshot's nodes. */
  #byNode: (Lane | undefined)[] = [];
  /** Those that nobody else uses, for large values; a lane that watches keys is not among them. */
  readonly #own: Lane[] = [];
  /** The client was sent a large reply: it gets lanes of its own as soon as nothing is in flight. */
  #takesLargeReplies = false;

  constructor(client: Requester, replies: ReplyQueue) {
    this.#client = client;
    this.#replies = replies;
  }

  /** The lane to the node with this index; null while the node is down. */
  to(index: number, nodes: readonly UpstreamNode[]): Lane | null {
    if (this.#takesLargeReplies && this.#replies.pending === 0 && this.#own.length === 0) this.#byNode = [];
    const lane = this.#byNode[index];
    if (lane?.accepting) return lane;
    return this.#pick(index, nodes[index], lane);
  }

  /** The lane that it has to the node with this index already. */
  at(index: number): Lane | undefined {
    return this.#byNode[index];
  }

  /** A lane to the node that is the client's own already, so that nothing it has in flight can be overtaken. */
  ownTo(index: number, node: UpstreamNode): Lane | null {
    const lane = this.#byNode[index];
    return lane !== undefined && lane.owner === this.#client && lane.accepting && lane.node === node ? lane : null;
  }

  /**
   * A lane of its own for a large value that it sends. Nothing may be in flight.
   * @returns null when there is none to have
   */
  forValueTo(index: number, node: UpstreamNode): Lane | null {
    const own = this.ownTo(index, node);
    if (own !== null) return own;
    const lane = node.takeForValues(this.kind, this.#client);
    if (lane === null) return null;
    this.#own.push(lane);
    this.#byNode[index] = lane;
    return lane;
  }

  /** The lane watches keys from now on: all commands to its node go by it, and it is not given back before that ends. */
  keep(index: number, lane: Lane): void {
    const own = this.#own.indexOf(lane);
    if (own >= 0) this.#own.splice(own, 1);
    this.#byNode[index] = lane;
  }

  /** The lane watches nothing any more, and nothing is in flight on it. */
  letGo(lane: Lane): void {
    if (lane.closed || lane.owner !== this.#client) return;
    this.#forget(lane);
    lane.node.releasePrivate(lane);
  }

  /** Others may need the lane that has carried a large value: a client that sends further ones gets it again. */
  giveBack(lane: Lane): void {
    if (lane.owner !== this.#client || this.#takesLargeReplies) return;
    const own = this.#own.indexOf(lane);
    if (own < 0) return;
    this.#own.splice(own, 1);
    this.#forget(lane);
    lane.node.releasePrivate(lane);
  }

  /** It was sent a large reply, and is given lanes of its own. */
  get takesLargeReplies(): boolean {
    return this.#takesLargeReplies;
  }

  /** A large reply is on its way to the client. */
  onLargeReply(): void {
    this.#takesLargeReplies = true;
  }

  /** The ring has changed: nodes have other indices. */
  rebind(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.snapshot = snapshot;
    const before = this.#byNode;
    this.#byNode = before.length === 0 ? [] : nodes.map((node) => before.find((lane) => lane?.node === node));
  }

  /** From now on lanes of this kind are used. Nothing may be in flight. */
  changeKind(protocol: LaneKind['protocol'], database: number): void {
    if (this.kind.protocol === protocol && this.kind.database === database) return;
    this.kind = { protocol, database };
    this.#byNode = [];
    this.release();
  }

  /** Gives back its own lanes; one on which replies are still to come is closed. */
  release(): void {
    for (const lane of this.#own.splice(0)) lane.node.releasePrivate(lane);
  }

  /** The client has done nothing for a while, and nothing is in flight. */
  onIdle(): void {
    if (this.#own.length === 0) return;
    this.release();
    this.#byNode = [];
  }

  #pick(index: number, node: UpstreamNode | undefined, current: Lane | undefined): Lane | null {
    // A lane that takes no others still takes those of a client that has replies to come from it.
    if (current !== undefined && !current.closed && this.#replies.hasPendingOn(current)) return current;
    if (node === undefined) return null;
    if (this.#takesLargeReplies) {
      const lane = node.takeForValues(this.kind, this.#client);
      if (lane !== null) {
        this.#own.push(lane);
        this.#byNode[index] = lane;
        return lane;
      }
    }
    const lane = node.pick(this.kind);
    this.#byNode[index] = lane ?? undefined;
    return lane;
  }

  #forget(lane: Lane): void {
    const at = this.#byNode.indexOf(lane);
    if (at >= 0) this.#byNode[at] = undefined;
  }
}
