/** What failovers tell, on `node:diagnostics_channel`; public as those of `proxy/events.ts`. */
import { channel } from 'node:diagnostics_channel';

/** Another server is a node's master from now on, and serves its keys. */
export interface NodeFailoverEvent {
  node: string;
  /** The node's address, which says who knows where its master is. */
  address: string;
  /** Where its master was, and is. */
  from: string;
  to: string;
  /** Of Sentinel's configuration; null: it is not Sentinels that say so. */
  epoch: number | null;
  /** Whether the former master has dropped this ring's connections; otherwise it did not answer. */
  fenced: boolean;
  /** Bytes of the replication stream that the former master had done and the new one never heard of; null: it cannot be told. */
  lostBytes: number | null;
  /** `at least`: the former master was asked for the last time some while before. */
  lostKnown: 'exactly' | 'at least' | 'not';
  /** Whether it had followed the former master; if not, what it had may be older; null: it cannot be told. */
  related: boolean | null;
  /** It was emptied before it served. */
  emptied: boolean;
  /** From when it was known until the new master served. */
  seconds: number;
  summary: string;
}

/** Those who know where a node's master is do not agree, or do not say; or do so again (empty reason). */
export interface NodeMasterEvent {
  node: string;
  address: string;
  reason: string;
  summary: string;
}

export const nodeFailover = channel('ringproxy:node:failover');
export const nodeMasterDoubtful = channel('ringproxy:node:master');
