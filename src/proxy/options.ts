import type { KeyGroup } from './measure/key-groups.js';

/** What the data plane needs of the configuration. Durations in milliseconds, sizes in bytes. */
export interface DataPlaneOptions {
  /** Names this proxy's connections at the nodes. */
  readonly proxyId: string;
  readonly version: string;
  /** `HOST:PORT` parsed, or a Unix socket's path. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Clients must authenticate with it; empty: they need not. */
  readonly password: string;
  /** Without a password only clients of this machine are let in. */
  readonly protectedMode: boolean;
  readonly adminCommands: 'deny' | 'allow';
  /** It shows itself as a cluster of one node. */
  readonly clusterMode: boolean;
  readonly databases: number;
  readonly preconnect: boolean;
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly reconnectBackoffMax: number;
  /** Shared lanes per node, protocol and database. */
  readonly nodeConnections: number;
  readonly nodePrivateConnections: number;
  readonly nodeBlockingConnections: number;
  readonly nodeMaxInflight: number;
  readonly nodeMaxPendingBytes: number;
  readonly maxClients: number;
  /** 0: never. */
  readonly idleTimeout: number;
  readonly clientMaxPending: number;
  readonly clientOutputLimit: number;
  readonly clientQueryLimit: number;
  readonly clientStallTimeout: number;
  readonly clientUploadTimeout: number;
  readonly maxBulkLength: number;
  readonly tcpKeepalive: number;
  readonly streamThreshold: number;
  /** Bodies of scripts are remembered up to this many bytes. */
  readonly scriptCache: number;
  /** Keys that clients have read and are told of when they change, at most; 0: any number. */
  readonly trackingTableMaxKeys: number;
  /** Uses of the cache that are counted apart; empty: none. */
  readonly keyGroups: readonly KeyGroup[];
  /** Called when a node knows a new connection by its name, before it carries commands: may end the process. */
  readonly mayServe: () => void;
  /** How to log in at a node and where to find it, by the node's name. */
  readonly nodeAccess: (name: string) => NodeAccess;
}

export interface NodeAccess {
  readonly username: string;
  readonly password: string;
}
