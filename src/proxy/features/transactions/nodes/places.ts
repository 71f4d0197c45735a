/** On which nodes the keys of a transaction are, and so which parts it has. */
import type { Rings } from '../../../../ring/rings.js';
import type { Router } from '../../../route/router.js';
import { GAVE_UP, WAIT } from '../../../route/waiting.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { RoutingSnapshot } from '../../../snapshot.js';
import type { QueuedFrames } from '../queued-frames.js';
import type { Transaction } from '../transaction.js';
import type { Watched } from '../watch.js';
import { Part } from './part.js';

const NO_PART = -1;

export class Places {
  /**
   * In the order of their first keys; behind them all others where all keys are read, and those of nodes where the client
   * only watches. What has no keys runs in the first one.
   */
  readonly parts: Part[] = [];
  /** The part of each key of the queue, as its index. */
  readonly partOfKey: Uint16Array;
  readonly #owners: Owners;
  readonly #partOfNode: Int32Array;

  /** @param keys how many the queue has @param nodes how many there are */
  constructor(owners: Owners, keys: number, nodes: number) {
    this.#owners = owners;
    this.partOfKey = new Uint16Array(keys);
    this.#partOfNode = new Int32Array(nodes).fill(NO_PART);
  }

  /** The part of the node with this index, which is begun where there is none. */
  partAt(index: number, begin: (index: number) => Part): number {
    let part = this.#partOfNode[index] as number;
    if (part === NO_PART) {
      part = this.parts.push(begin(index)) - 1;
      this.#partOfNode[index] = part;
    }
    return part;
  }

  /** The part of the key `source[start, end)`, which a command of the queue has. */
  partOf(source: Buffer, start: number, end: number): number {
    return Math.max(0, this.#partOfNode[this.#owners.of(source, start, end)] ?? 0);
  }
}

/** Which node a key is on now. */
class Owners {
  readonly #router: Router;
  readonly #client: ClientConnection;
  readonly #rings: Rings;

  constructor(router: Router, client: ClientConnection, rings: Rings) {
    this.#router = router;
    this.#client = client;
    this.#rings = rings;
  }

  of(source: Buffer, start: number, end: number): number {
    const hash = this.#rings.hashOf(source, start, end);
    if (!this.#rings.movesAway(hash)) return this.#rings.ownerOf(hash);
    return this.#router.ownerNow(this.#client, source, start, end);
  }

  /** Of key number `i` of the queue. */
  ofKey(frames: QueuedFrames, i: number): number {
    const hash = frames.hashAt(i);
    if (!this.#rings.movesAway(hash)) return this.#rings.ownerOf(hash);
    const key = frames.keyAt(i);
    return this.#router.ownerNow(this.#client, key, 0, key.length);
  }
}

/** @param ofAll every node has a part @returns WAIT or GAVE_UP where a key changes hands */
export function placesOf(
  router: Router,
  client: ClientConnection,
  { frames, readsOfAll }: Transaction,
  watched: Watched | null,
  { rings }: RoutingSnapshot,
  ofAll: boolean,
): Places | typeof WAIT | typeof GAVE_UP {
  const owners = new Owners(router, client, rings);
  const places = new Places(owners, frames.keyCount, router.nodes.length);
  const begin = (index: number): Part => {
    const node = router.nodeAt(index);
    return new Part(node, index, watched?.at(node) ?? null);
  };
  for (let i = 0; i < frames.keyCount; i++) {
    const owner = owners.ofKey(frames, i);
    if (owner === WAIT || owner === GAVE_UP) return owner;
    const part = places.partAt(owner, begin);
    places.partOfKey[i] = part;
    places.parts[part]?.noteKey(frames.hashAt(i));
  }
  if (ofAll || readsOfAll.length > 0) for (const index of router.nodes.keys()) places.partAt(index, begin);
  for (const { lane } of watched?.watches ?? []) {
    const index = router.nodes.indexOf(lane.node);
    if (index >= 0) places.partAt(index, begin);
  }
  if (places.parts.length === 0) places.partAt(router.anyNode(), begin);
  return places;
}
