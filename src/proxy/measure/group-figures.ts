/** What a proxy has counted of the groups of keys, as plain data: that of several proxies is put together. */
import { noFills } from './fill-counts.js';
import type { GroupCounts } from './plane-stats.js';
import { noReplicaReads } from './replica-read-counts.js';
import { addGroupCounts } from './sum-plane-stats.js';

export interface GroupFigures extends Omit<GroupCounts, 'time'> {
  /** Commands a second, within the last seconds; null: not measured yet. */
  perSecond: number | null;
}

/** @param perSecond commands a second of a group; null: not measured yet */
export function groupFigures(
  counts: readonly GroupCounts[],
  perSecond: (group: string) => number | null,
): GroupFigures[] {
  return counts.map(({ time: _, ...rest }) => ({ ...rest, perSecond: perSecond(rest.group) }));
}

/** Puts together what several proxies have counted. What is replicated is the same at each of them. */
export function mergeFigures(parts: readonly (readonly GroupFigures[])[]): GroupFigures[] {
  const sums = new Map<string, GroupFigures>();
  for (const row of parts.flat()) {
    let sum = sums.get(row.group);
    if (sum === undefined) {
      sum = { ...noFigures(row.group) };
      sums.set(row.group, sum);
    }
    addGroupCounts(sum, row);
    if (row.perSecond !== null) sum.perSecond = (sum.perSecond ?? 0) + row.perSecond;
  }
  return [...sums.values()];
}

/** Of a group that nobody has counted yet. */
export function noFigures(group: string): GroupFigures {
  return {
    ...{ group, calls: 0, errors: 0, hits: 0, misses: 0, perSecond: null },
    ...{ nearHits: 0, nearMisses: 0, nearEntries: 0, nearBytes: 0 },
    ...{ replicatedKeys: 0, replicatedBytes: 0, fills: noFills() },
    replicaReads: noReplicaReads(),
  };
}
