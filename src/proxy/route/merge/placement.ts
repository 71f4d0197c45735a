import type { Rings } from '../../../ring/rings.js';
import { isReserved } from '../reserved.js';

/** Which of the keys that a node has are shown to clients: not the proxy's own, and not those that others own. */
export class Placement {
  readonly #rings: Rings;

  constructor(rings: Rings) {
    this.#rings = rings;
  }

  /** @param node index of the node that has the key */
  shows(node: number, key: Buffer): boolean {
    if (isReserved(key, 0, key.length)) return false;
    // While keys move, one may be here or there.
    return this.#rings.mayHold(node, this.#rings.hashOf(key, 0, key.length));
  }
}
