/** Makes what `/v1/groups` shows. */
import type { GroupCountsView, GroupsView, GroupView } from '../../admin/api.js';
import { writePolicy } from '../../config/cache-policy.js';
import { formatDuration } from '../../config/units.js';
import type { CachePolicy, KeyGroup } from '../../proxy/caching/policy.js';
import type { FillCounts } from '../../proxy/measure/fill-counts.js';
import type { GroupFigures } from '../../proxy/measure/group-figures.js';
import type { GroupsInForce } from './live-groups.js';

/**
 * @param figures of those that were asked, put together
 * @param missing whose part that is not among them, and why
 */
export function groupsView(
  { stored, groups }: GroupsInForce,
  figures: readonly GroupFigures[],
  missing: GroupsView['missing'],
): GroupsView {
  const find = (name: string): GroupFigures | undefined => figures.find(({ group }) => group === name);
  const countsOf = (name: string): GroupCountsView => {
    const { calls = 0, errors = 0, hits = 0, misses = 0, perSecond = null } = find(name) ?? {};
    return {
      commands: calls,
      commandsPerSecond: perSecond,
      errors,
      hits,
      misses,
      hitRatio: shareOf(hits, hits + misses),
    };
  };
  return {
    source: stored?.record.groups == null ? 'configuration' : 'ring',
    revision: stored?.revision ?? 0,
    changed: stored === null ? null : { by: stored.record.by, at: stored.record.at },
    groups: groups.map((one) => ({
      ...writtenGroup(one),
      ...countsOf(one.group),
      ...keptOf(one.policy, find(one.group)),
    })),
    other: groups.length === 0 ? null : countsOf(OTHER),
    missing: [...missing],
  };
}

/** A group without what was counted of it. */
export function writtenGroup({ group, prefixes, policy }: KeyGroup): Pick<GroupView, 'group' | 'prefixes' | 'policy'> {
  return { group, prefixes: [...prefixes], policy: wordsOf(policy) };
}

/** What parts of the policy have counted; null: the group does not have them. */
function keptOf(
  policy: CachePolicy | null,
  counts: GroupFigures | undefined,
): Pick<GroupView, 'near' | 'replicated' | 'fill' | 'fillShare' | 'replicaReads' | 'replicaShare'> {
  if (policy === null || counts === undefined) {
    return { near: null, replicated: null, fill: null, fillShare: null, replicaReads: null, replicaShare: null };
  }
  const { nearEntries, nearBytes, nearHits, nearMisses, replicatedKeys, replicatedBytes, fills, replicaReads } = counts;
  const kept = { entries: nearEntries, bytes: nearBytes, hits: nearHits, misses: nearMisses };
  const near = { ...kept, hitRatio: shareOf(nearHits, nearHits + nearMisses) };
  const fillWaits = policy.fillWait > 0;
  const fromReplicas = policy.readFrom === 'replica';
  return {
    near: policy.cache === 'near' ? near : null,
    replicated: policy.cache === 'replicated' ? { keys: replicatedKeys, bytes: replicatedBytes } : null,
    fill: fillWaits ? { ...fills } : null,
    fillShare: fillWaits ? fillShareOf(fills) : null,
    replicaReads: fromReplicas ? { ...replicaReads } : null,
    replicaShare: fromReplicas ? replicaShareOf(replicaReads) : null,
  };
}

/** Whose client has left before there was an answer has been spared nothing, and has cost nothing. */
function fillShareOf({ left: _, ...answered }: FillCounts): number | null {
  const all = Object.values(answered).reduce((sum, count) => sum + count, 0);
  return shareOf(answered.filled + answered.stale, all);
}

/** @param reads by outcome: what a replica was asked in vain is counted for it, and as asked again */
function replicaShareOf({ replica = 0, again = 0, ...others }: Readonly<Record<string, number>>): number | null {
  const all = Object.values(others).reduce((sum, count) => sum + count, replica);
  return shareOf(replica - again, all);
}

/** 0 to 1; null: there is nothing to have a share of. */
function shareOf(part: number, all: number): number | null {
  return all === 0 ? null : part / all;
}

/** What decides most is said also where nobody has said it. */
function wordsOf(policy: CachePolicy | null): Record<string, string> {
  const none = { cache: 'sharded', nearTtl: 0, readFrom: 'master', maxLag: 0 };
  const { cache, nearTtl, readFrom, maxLag } = policy ?? none;
  const lag = readFrom === 'replica' ? { 'max-lag': formatDuration(maxLag) } : {};
  return {
    cache,
    ...(cache === 'near' ? { 'near-ttl': formatDuration(nearTtl) } : {}),
    ...lag,
    ...writePolicy(policy),
  };
}

/** Of keys that no prefix fits, as the data plane counts them. */
const OTHER = 'other';
