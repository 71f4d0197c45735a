import type { NodeIdentity } from './identity.js';

/** How the proxy logs in at a node; empty: not at all, or as the user `default`. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A node that can be connected to. */
export interface NodeEndpoint extends NodeIdentity, Login {}
