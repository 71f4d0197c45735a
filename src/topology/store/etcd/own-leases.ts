/** The leases of this proxy: whether what hangs on one is in force for certain. */
import type { KeptLease } from './kept-lease.js';

/** Keys of a lease that is gone are still known for as long as the watch takes to tell that they are gone. */
const MOST = 16;

export class OwnLeases {
  readonly #leases = new Map<string, KeptLease>();

  add(lease: KeptLease): void {
    this.#leases.set(lease.id, lease);
    const [oldest] = this.#leases.keys();
    if (this.#leases.size > MOST && oldest !== undefined) this.#leases.delete(oldest);
  }

  /** Whether it is one of this proxy's that has run out, as far as this proxy knows. Of those of others nothing is known. */
  isInDoubt(id: string): boolean {
    return this.#leases.get(id)?.isValid === false;
  }
}
