/**
 * CRDTs put together: of each actor a branch, which it alone writes, and of several branches one value, their join. Who
 * leaves takes its branch with it.
 */
import type { Lattice } from './lattice.js';

/** The value of all branches together. */
export function joinAll<State>(lattice: Lattice<State>, branches: Iterable<State>): State {
  let joined = lattice.bottom;
  for (const branch of branches) joined = lattice.join(joined, branch);
  return joined;
}
