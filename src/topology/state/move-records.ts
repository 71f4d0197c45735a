/** What movers have told of a change, put together: pure. */
import { type NodeIdentity, sameNode } from '../../node/identity.js';
import type { MoveRecord } from './fleet.js';
import type { NodeProcess } from './ring-state.js';

/** Nothing of the source has moved. */
export function emptyRecord(source: string): MoveRecord {
  const counted = { keysMoved: 0, keysScanned: 0, bytesMoved: 0, keysDropped: 0 };
  return { source, swept: false, ...counted, largeKey: null, processes: [], error: null, paused: false };
}

/** The run id of a node's process, as the mover of one source knows it; empty: it does not. */
export function runIdIn(node: NodeIdentity, processes: readonly NodeProcess[]): string {
  return processes.find((process) => process.runId !== '' && sameNode(process, node))?.runId ?? '';
}

/**
 * The processes of all nodes as they were first seen, by the fence or by movers. Where movers have seen several of a node,
 * it has been restarted since keys began to move: what stands here then is the id of no process, so that whichever runs
 * is taken for one that was started later.
 */
export function processesSeen(atFence: readonly NodeProcess[], records: readonly MoveRecord[]): readonly NodeProcess[] {
  const seen = atFence.filter(({ runId }) => runId !== '');
  const later = new Map<string, NodeProcess>();
  for (const process of records.flatMap(({ processes }) => processes)) {
    if (process.runId === '' || seen.some((known) => sameNode(known, process))) continue;
    const key = `${process.name}\n${process.address}`;
    const known = later.get(key);
    if (known === undefined) later.set(key, process);
    else if (known.runId !== process.runId) later.set(key, { ...process, runId: 'several' });
  }
  const unseen = atFence.filter(({ name, address, runId }) => runId === '' && !later.has(`${name}\n${address}`));
  return [...seen, ...unseen, ...later.values()];
}
