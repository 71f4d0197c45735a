import type { Rings } from '../../../ring/rings.js';
import type { LocalKeys } from '../local-keys.js';
import { isReserved } from '../reserved.js';

/**
 * Which of the keys that a node has are shown to clients: not the proxy's own, not those that others own, and not those
 * that proxies have: a script that does not declare its keys can write such a one to a node, where nobody reads it.
 */
export class Placement {
  readonly #rings: Rings;
  readonly #localKeys: LocalKeys | null;

  /** @param localKeys those that no node should have; null: there are none */
  constructor(rings: Rings, localKeys: LocalKeys | null) {
    this.#rings = rings;
    this.#localKeys = localKeys;
  }

  /** @param node index of the node that has the key */
  shows(node: number, key: Buffer): boolean {
    if (this.isOfNoNode(key)) return false;
    // While keys move, one may be here or there.
    return this.#rings.mayHold(node, this.#rings.hashOf(key, 0, key.length));
  }

  /** Whichever node has the key, clients do not see it there. */
  isOfNoNode(key: Buffer): boolean {
    return isReserved(key, 0, key.length) || this.#localKeys?.has(key, 0, key.length) === true;
  }
}
