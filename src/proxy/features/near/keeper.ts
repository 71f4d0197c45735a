/** Keeps replies, and has them confirmed: what is kept is served once its node has said that all was told since. */
import { isMissingReply } from '../../../commands/missing-reply.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Fill } from './fill.js';
import type { InFlight } from './in-flight.js';
import type { NearNodes } from './near-nodes.js';
import type { NodeRead } from './node-read.js';
import type { NearStore } from './store/near-store.js';
import { BARRIER, BORN_AT, ENDS_AT, EPOCH, GENERATION, KEY_ENDS_AT, NODE, NONE, RING_HASH } from './store/record.js';
import type { TouchListener } from './touch.js';

/** Has a node asked whether all changes were told. @returns the number of the question; -1: the node is not heard */
export type AskNode = (node: UpstreamNode) => number;

export class Keeper implements TouchListener {
  readonly inFlight: InFlight;
  readonly nodes: NearNodes;
  readonly requests: RequestPool;
  /** Null: nothing is kept. */
  store: NearStore | null = null;
  readonly #ask: AskNode;

  constructor(inFlight: InFlight, nodes: NearNodes, requests: RequestPool, ask: AskNode) {
    this.inFlight = inFlight;
    this.nodes = nodes;
    this.requests = requests;
    this.#ask = ask;
  }

  /**
   * Keeps `buffer[start, end)`, the reply to a read, unless the key may have changed since that was sent.
   * @param keyEndsAt when the key ends, by the clock
   * @returns where it is kept, or NONE
   */
  keep(fill: Fill, keyEndsAt: number, buffer: Buffer, start: number, end: number): number {
    const { store, nodes, inFlight } = this;
    const { keyHash, lane, slot, sentAt, leavesOut } = fill;
    if (store === null || lane === null) return NONE;
    if (inFlight.version(keyHash) !== fill.version || nodes.epoch[slot] !== fill.epoch) return NONE;
    if (leavesOut !== null && isMissingReply(leavesOut, buffer, start)) return NONE;
    const barrier = this.#ask(lane.node);
    if (barrier < 0) return NONE;
    const record = store.add(fill, buffer, start, end);
    if (record === NONE) return NONE;
    const { numbers, times } = store;
    numbers[record + NODE] = slot;
    numbers[record + EPOCH] = fill.epoch;
    numbers[record + GENERATION] = fill.generation;
    numbers[record + BARRIER] = barrier;
    numbers[record + RING_HASH] = fill.ringHash;
    times[(record + BORN_AT) >> 1] = sentAt;
    times[(record + KEY_ENDS_AT) >> 1] = keyEndsAt;
    times[(record + ENDS_AT) >> 1] = Math.min(keyEndsAt, sentAt + fill.most);
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

  /** A client has read the key from its node, and may know a later value than what is kept. */
  onRead(keyHash: number): void {
    const { store } = this;
    if (store === null) return;
    for (let record = store.firstOfKey(keyHash); record !== NONE; record = store.nextOfKey(record)) {
      this.#doubt(store, record);
    }
  }

  /** The same of any key: nothing is served until all nodes have said that all was told by now. */
  onReadOfAnyKey(): void {
    if (this.store !== null) this.nodes.doubtAll(this.#ask);
  }

  /**
   * Of one key, where the reply is known: what is kept that says the same needs no new answer of its node. It is served when
   * it was true after all that clients knew then; what they have heard since and until now is the same once more.
   * @param own what this read itself has kept, or NONE
   */
  onReadReply({ keyHash, hash, kind }: NodeRead, own: number, buffer: Buffer, start: number, end: number): void {
    const { store } = this;
    if (store === null) return;
    for (let record = store.firstOfKey(keyHash); record !== NONE; record = store.nextOfKey(record)) {
      if (record === own || store.says(record, hash, kind, buffer, start, end)) continue;
      this.#doubt(store, record);
    }
  }

  /** The record is not served until its node has said that all was told by now. */
  #doubt(store: NearStore, record: number): void {
    const node = this.nodes.nodeAt(store.numbers[record + NODE] as number);
    const barrier = node === null ? -1 : this.#ask(node);
    // A node that is not heard has another epoch already.
    if (barrier >= 0) store.numbers[record + BARRIER] = barrier;
  }
}
