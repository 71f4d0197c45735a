/** Keeps replies, and has them confirmed: what is kept is served once its node has said that all was told since. */
import { isMissingReply } from '../../../commands/missing-reply.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { FillRead } from './fill.js';
import type { InFlight } from './in-flight.js';
import type { NearNodes } from './near-nodes.js';
import type { NearStore } from './store/near-store.js';
import { BARRIER, BORN_AT, ENDS_AT, EPOCH, GENERATION, KEY_ENDS_AT, NODE, NONE, RING_HASH } from './store/record.js';
import type { TouchListener } from './touch.js';

/** Has a node asked whether all changes were told. @returns the number of the question; -1: the node is not heard */
export type AskNode = (node: UpstreamNode) => number;

export class Keeper implements TouchListener {
  readonly inFlight: InFlight;
  readonly nodes: NearNodes;
  /** Null: nothing is kept. */
  store: NearStore | null = null;
  readonly #ask: AskNode;

  constructor(inFlight: InFlight, nodes: NearNodes, ask: AskNode) {
    this.inFlight = inFlight;
    this.nodes = nodes;
    this.#ask = ask;
  }

  /**
   * Keeps `buffer[start, end)`, the reply to `read`, unless the key may have changed since that was sent.
   * @param keyEndsAt when the key ends, by the clock
   * @returns where it is kept, or NONE
   */
  keep(read: FillRead, keyEndsAt: number, buffer: Buffer, start: number, end: number): number {
    const { store, nodes, inFlight } = this;
    const { hash, kind, keyHash, group, rest, node, slot, sentAt } = read;
    if (store === null || inFlight.version(keyHash) !== read.version || nodes.epoch[slot] !== read.epoch) return NONE;
    if (read.leavesOut !== null && isMissingReply(read.leavesOut, buffer, start)) return NONE;
    const barrier = this.#ask(node);
    if (barrier < 0) return NONE;
    const record = store.add(hash, kind, keyHash, group, rest, buffer, start, end);
    if (record === NONE) return NONE;
    const { numbers, times } = store;
    numbers[record + NODE] = slot;
    numbers[record + EPOCH] = read.epoch;
    numbers[record + GENERATION] = read.generation;
    numbers[record + BARRIER] = barrier;
    numbers[record + RING_HASH] = read.ringHash;
    times[(record + BORN_AT) >> 1] = sentAt;
    times[(record + KEY_ENDS_AT) >> 1] = keyEndsAt;
    times[(record + ENDS_AT) >> 1] = Math.min(keyEndsAt, sentAt + read.most);
    return record;
  }

  /** Ends what is kept of a key. */
  endKey(keyHash: number): void {
    this.store?.endKey(keyHash);
  }

  /** Ends all that is kept, and what is on its way is not kept. */
  endAll(): void {
    this.nodes.endAll();
  }

  /**
   * A client has read the key from its node, and may know a later value than what is kept: until its node has said that
   * all was told by now, that is not served.
   * @param own what this read itself has kept, or NONE
   */
  onRead(keyHash: number, own = NONE): void {
    const { store, nodes } = this;
    if (store === null) return;
    for (let record = store.firstOfKey(keyHash); record !== NONE; record = store.nextOfKey(record)) {
      if (record === own) continue;
      const slot = store.numbers[record + NODE] as number;
      const node = nodes.nodeAt(slot);
      const barrier = node === null ? -1 : this.#ask(node);
      // A node that is not heard has another epoch already.
      if (barrier >= 0) store.numbers[record + BARRIER] = barrier;
    }
  }
}
