import type { NodeIdentity } from './identity.js';
import type { NodeTls } from './tls.js';

/** How the proxy logs in at a node; empty: not at all, or as the user `default`. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Where the master of a followed node is (see `followed.ts`). */
export interface Mastership {
  /** `HOST:PORT`; null: it is not known, or the node is failing over. */
  readonly address: string | null;
  /** Why there is no address, as a predicate of the node; otherwise empty. */
  readonly why: string;
}

/** How a server is spoken to, wherever it is. */
export type Speech = Omit<NodeEndpoint, 'name' | 'address' | 'master'>;

/** A node that can be connected to. */
export interface NodeEndpoint extends NodeIdentity, Login {
  /** Without: it is not spoken to by TLS. */
  readonly tls?: NodeTls | undefined;
  /** Missing: the node is at its address. */
  readonly master?: Mastership | undefined;
  /**
   * The run id of the one process that may serve there, or move keys; empty: it is not recorded yet, so any may; missing:
   * nobody asks.
   */
  readonly process?: string | undefined;
}

/** Where the node is now, for people. */
export function shownAddress({ address, master }: Pick<NodeEndpoint, 'address' | 'master'>): string {
  return master?.address ?? address;
}

/** The server that is the node now, as one by itself: whatever becomes of the node, this is where it is reached. */
export function serverOf<Node extends NodeEndpoint>(node: Node): Node {
  return node.master === undefined ? node : { ...node, address: shownAddress(node), master: undefined };
}
