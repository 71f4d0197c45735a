import type { NodeIdentity } from '../node/identity.js';

/** A Redis node as the ring knows it. Its `name`, not its address, is its identity on the ring. */
export interface NodeSpec extends NodeIdentity {
  /** Identity on the ring: 1 to 512 characters; the points on the ring are hashed from it. */
  readonly name: string;
  /** Share of the ring relative to the other nodes: an integer from 1 to 1,000,000. */
  readonly weight: number;
}
