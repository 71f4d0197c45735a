import type { RoutingSnapshot } from '../../snapshot.js';
import { isReserved } from '../reserved.js';

/** Which of the keys that a node has are shown to clients: not the proxy's own, and not those that others own. */
export class Placement {
  readonly #snapshot: Pick<RoutingSnapshot, 'ring' | 'nextRing'>;

  constructor(snapshot: Pick<RoutingSnapshot, 'ring' | 'nextRing'>) {
    this.#snapshot = snapshot;
  }

  /** @param node index of the node that has the key */
  shows(node: number, key: Buffer): boolean {
    if (isReserved(key, 0, key.length)) return false;
    const { ring, nextRing } = this.#snapshot;
    const hash = ring.hashOf(key, 0, key.length);
    // While keys move, one may be here or there.
    return ring.ownerOfHash(hash) === node || nextRing?.ownerOfHash(hash) === node;
  }
}
