/** The nodes of a ring. */

/** A node as the proxy that answers sees it. */
export interface OwnNodeView {
  name: string;
  address: string;
  /** Whether this proxy speaks TLS with it. */
  tls: boolean;
  weight: number;
  state: NodeState;
  /** Part of the hash space that the node owns, 0 to 1. */
  share: number;
  /** Of the ring that follows, while the ring changes; otherwise null. */
  nextShare: number | null;
  /** Keys in all databases, or null when the node did not answer the last probe. */
  keys: number | null;
  /** Bytes, or null when the node did not answer the last probe. */
  usedMemory: number | null;
  /** Of its server, as of the last probe; or null. */
  version: string | null;
  /** What else its server says of itself (INFO), or null when it did not answer the last probe, or may not be asked. */
  figures: NodeFiguresView | null;
  /** Why the node is down, or null. */
  error: string | null;
  /** Since when it is down for this proxy (ISO date), or null. */
  downSince: string | null;
  /** What is wrong with the node, also when it is up, in its own words where it has said some; or null. */
  reason: string | null;
  /** That the fleet has taken it out of the ring, until it answers again; null: it has not. */
  ejection: NodeEjection | null;
  /** Of a node whose address says who knows where its master is; otherwise null. */
  master: NodeMasterView | null;
}

export interface NodeView extends OwnNodeView {
  /** Ids of the proxies for which the node is down, as far as they have told. */
  downFor: string[];
  /** What these proxies say of it. */
  opinions: NodeOpinionView[];
}

export type NodeState = 'active' | 'joining' | 'leaving' | 'down' | 'ejected';

/** What a node's server says of itself; null: it does not say that. */
export interface NodeFiguresView {
  /** Bytes; 0: no limit. */
  maxMemory: number | null;
  /** What it does when that is reached. */
  maxMemoryPolicy: string | null;
  /** Bytes that the operating system has given it. */
  residentMemory: number | null;
  /** These divided by what it uses. */
  fragmentation: number | null;
  /** Keys that it gave up for want of memory, since its start. */
  evictedKeys: number | null;
  expiredKeys: number | null;
  /** Proxies and everybody else. */
  connectedClients: number | null;
  /** Of these, those that wait for something (BLPOP …). */
  blockedClients: number | null;
  maxClients: number | null;
  /** `master`, or `slave` for a replica. */
  role: string | null;
  loading: boolean | null;
  uptimeSeconds: number | null;
}

export interface NodeEjection {
  /** ISO date. */
  since: string;
  /** For people. */
  why: string;
  /** How often it was taken out lately, this time included. */
  times: number;
}

/** Where the master of a node is, and who says so. */
export interface NodeMasterView {
  /** `HOST:PORT`; null: it is not known, or the node is failing over. */
  address: string | null;
  source: 'sentinel' | 'addresses';
  /** Of Sentinel's configuration; otherwise null. */
  epoch: number | null;
  /** Since this proxy started. */
  failovers: number;
  /** Bytes of the replication stream that new masters never heard of, as far as it could be told; since this proxy started. */
  lostBytes: number;
  /** Of the failovers: to a server that had not followed the master before. */
  unrelated: number;
  /** How often a master was emptied before it served, since what it had may be of the past; since this proxy started. */
  emptied: number;
}

/** What a proxy says of a node that is down for it. */
export interface NodeOpinionView {
  /** Its id. */
  proxy: string;
  /** ISO date, by its clock. */
  since: string;
  /** For people. */
  why: string;
}
