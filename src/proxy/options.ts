import type { DataPlaneSettings } from './settings.js';

/** What the data plane is made with: its settings, who it is, and where nodes ask for more than their address. */
export interface DataPlaneOptions extends DataPlaneSettings {
  /** Names this proxy's connections at the nodes. */
  readonly proxyId: string;
  readonly version: string;
  /** `HOST:PORT` parsed, or a Unix socket's path. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Called when a node knows a new connection by its name, before it carries commands: may end the process. */
  readonly mayServe: () => void;
  /** How to log in at a node and where to find it, by the node's name. */
  readonly nodeAccess: (name: string) => NodeAccess;
}

export interface NodeAccess {
  readonly username: string;
  readonly password: string;
}
