/**
 * Who has answered a read of one key in a group with `read-from: replica`.
 * - `replica`: one.
 * - The others: the master. `none`: the node has no replica that is known. `unproven`: none of them is known to have the
 *   master's data. `late`: those that are lag by more than `max-lag`. `newer`: the key was written through this process
 *   since, or the ring has changed. `moving`: the key is changing hands. `client`: the client tracks or watches keys, or
 *   reads large values. `again`: a replica was asked, and has failed.
 */
export const REPLICA_READ_OUTCOMES = [
  'replica',
  'none',
  'unproven',
  'late',
  'newer',
  'moving',
  'client',
  'again',
] as const;
export type ReplicaReadOutcome = (typeof REPLICA_READ_OUTCOMES)[number];
export type ReplicaReadCounts = Record<ReplicaReadOutcome, number>;

export function noReplicaReads(): ReplicaReadCounts {
  return { replica: 0, none: 0, unproven: 0, late: 0, newer: 0, moving: 0, client: 0, again: 0 };
}
