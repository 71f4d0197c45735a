/**
 * What is known of nodes' feeds, as far as a kept reply hangs on it, in flat arrays by a slot for each node.
 *
 * A reply of a node's is served while
 * - its epoch is the node's: nothing has ended all that came from the node (a lost feed, FLUSHALL, a node that left),
 * - the node has answered the question that was asked when the reply was there: whatever had changed by then was heard,
 * - the feed was heard not long ago: so a feed that stalls, or a proxy that stood still, bounds nobody's patience.
 */
import type { UpstreamNode } from '../../upstream/upstream-node.js';

/** A feed that was asked longer ago, and has not answered, is not trusted. Milliseconds. */
export const TRUST_MS = 2000;
const MOST_NODES = 1024;
/** No node has this slot. */
export const NO_SLOT = -1;

export class NearNodes {
  /** All that was read before the epoch is ended. */
  readonly epoch = new Int32Array(MOST_NODES);
  /** The last question that the node has answered. */
  readonly heard = new Int32Array(MOST_NODES);
  /** By the clock. Nothing is served while all of the node is in doubt. */
  readonly trustedUntil = new Float64Array(MOST_NODES).fill(Number.NEGATIVE_INFINITY);
  /** The question whose answer ends the doubt. */
  readonly #doubted = new Int32Array(MOST_NODES);
  readonly #slots = new Map<UpstreamNode, number>();
  readonly #bySlot: (UpstreamNode | null)[] = [];
  readonly #free: number[] = [];

  /** The node's slot, which it keeps until `keepOnly` takes it; NO_SLOT: there are too many nodes. */
  slotOf(node: UpstreamNode): number {
    const known = this.#slots.get(node);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? this.#bySlot.length;
    if (slot >= MOST_NODES) return NO_SLOT;
    this.#slots.set(node, slot);
    this.#bySlot[slot] = node;
    return slot;
  }

  /** The node with this slot; null: it has left. */
  nodeAt(slot: number): UpstreamNode | null {
    return this.#bySlot[slot] ?? null;
  }

  /** All that came from the node is ended, and what is on its way is not kept. */
  end(node: UpstreamNode): void {
    const slot = this.#slots.get(node);
    if (slot !== undefined) this.#end(slot);
  }

  endAll(): void {
    for (const slot of this.#slots.values()) this.#end(slot);
  }

  /** Nothing is served until the nodes have answered. @param ask has a node asked; -1: it is not heard, and has ended */
  doubtAll(ask: (node: UpstreamNode) => number): void {
    for (const [node, slot] of this.#slots) {
      const barrier = ask(node);
      if (barrier < 0) continue;
      this.#doubted[slot] = barrier;
      this.trustedUntil[slot] = Number.NEGATIVE_INFINITY;
    }
  }

  /** The node has answered question number `barrier` of its feed. @param askedAt by the clock */
  onHeard(node: UpstreamNode, barrier: number, askedAt: number): void {
    const slot = this.slotOf(node);
    if (slot === NO_SLOT) return;
    this.heard[slot] = barrier;
    if (barrier < (this.#doubted[slot] as number)) return;
    this.#doubted[slot] = 0;
    this.trustedUntil[slot] = askedAt + TRUST_MS;
  }

  /** Other nodes have left. */
  keepOnly(nodes: readonly UpstreamNode[]): void {
    for (const [node, slot] of this.#slots) {
      if (nodes.includes(node)) continue;
      this.#end(slot);
      this.trustedUntil[slot] = Number.NEGATIVE_INFINITY;
      this.heard[slot] = 0;
      this.#slots.delete(node);
      this.#bySlot[slot] = null;
      this.#free.push(slot);
    }
  }

  #end(slot: number): void {
    (this.epoch[slot] as number)++;
    this.#doubted[slot] = 0;
  }
}
