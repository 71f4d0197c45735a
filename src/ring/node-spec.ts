/** A Redis node as the ring knows it. Its `name`, not its address, is its identity on the ring. */
export interface NodeSpec {
  /** Identity on the ring: 1 to 512 characters; the points on the ring are hashed from it. */
  readonly name: string;
  /** `HOST:PORT`, `[IPV6]:PORT` or the absolute path of a Unix socket. */
  readonly address: string;
  /** Share of the ring relative to the other nodes: an integer from 1 to 1,000,000. */
  readonly weight: number;
}

/** What tells one server from another: a node that keeps its name but not its address is another one. */
export type NodeIdentity = Pick<NodeSpec, 'name' | 'address'>;
