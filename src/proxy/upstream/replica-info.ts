/** What INFO replication says, for reads from replicas; pure. */
import { formatAddress } from '../../node/address.js';
import { fieldsOf } from '../../resp/info-fields.js';

export interface MasterInfo {
  /** Names the history of writes that it has. */
  readonly history: string;
  /** How far it is. Bytes of the replication stream. */
  readonly offset: number;
  /** Where its replicas are that follow it now, as they announce it. */
  readonly replicas: readonly string[];
}

export interface ReplicaInfo {
  readonly history: string;
  /** Up to where it has carried the stream out. */
  readonly offset: number;
}

/** @returns null: it is no master */
export function readMasterInfo(info: string): MasterInfo | null {
  const field = fieldsOf(info);
  if (field('role') !== 'master') return null;
  const replicas = [...info.matchAll(/^slave\d+:ip=([^,]+),port=(\d+),state=online,/gm)].map(([, host = '', port]) =>
    formatAddress({ host, port: Number(port) }),
  );
  return { history: field('master_replid'), offset: Number(field('master_repl_offset')), replicas };
}

/**
 * @returns null: it is not to be read from: no replica, without its master, one that takes writes of its own, or one that
 * wants to be known to nobody (`replica-announced no`)
 */
export function readReplicaInfo(info: string): ReplicaInfo | null {
  const field = fieldsOf(info);
  if (field('role') !== 'slave' || field('master_link_status') !== 'up') return null;
  if (field('slave_read_only') !== '1' || field('replica_announced') === '0') return null;
  return { history: field('master_replid'), offset: Number(field('slave_repl_offset')) };
}
