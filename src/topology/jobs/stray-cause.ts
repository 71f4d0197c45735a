import type { KeyHash, Rings } from '../../ring/rings.js';

/** Why a key is on a node that does not own it, as far as it can be guessed. */
export type StrayCause =
  /** The node was restarted, and had none before. */
  | 'restart'
  /** Proxies that leave a node out while it does not answer would have put the key there. */
  | 'ejection'
  /** A script with undeclared keys, a writer past the proxy, another ring on the same nodes. */
  | 'other';

/** @param node index of the node on which the key of this hash was found */
export function likelyCause(rings: Rings, hash: KeyHash, node: number, cameBack: boolean): StrayCause {
  if (cameBack) return 'restart';
  return rings.ownerWithoutOwner(hash) === node ? 'ejection' : 'other';
}
