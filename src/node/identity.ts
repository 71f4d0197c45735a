/** Which server is meant, wherever one is told from another: on the ring, in the data plane, in what is counted. */

/** A node that keeps its name but not its address is another server. */
export interface NodeIdentity {
  /** Identity on the ring. */
  readonly name: string;
  /** `HOST:PORT`, `[IPV6]:PORT` or the absolute path of a Unix socket. */
  readonly address: string;
}

/** The identity as one text, for maps. It is unambiguous, since a name has no line feed in it. */
export function nodeKey({ name, address }: NodeIdentity): string {
  return `${name}\n${address}`;
}

/** Whether the same server is meant. */
export function sameNode(a: NodeIdentity, b: NodeIdentity): boolean {
  return a.name === b.name && a.address === b.address;
}
