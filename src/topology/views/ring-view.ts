/** What operators read of the ring and its nodes. */
import type { NodeState, NodeView, WhichView } from '../../admin/api.js';
import { sameNode } from '../../node/identity.js';
import type { Ring } from '../../ring/ring.js';
import type { AdmissionHooks } from '../admission/admission.js';
import { type Member, type RingState, type RunningChange, unionOf } from '../state/ring-state.js';

/** @param shares the part of the hash space that each node owns, in the order of the ring's nodes and those that join */
export function describeNodes(
  state: RingState,
  change: RunningChange | null,
  shares: readonly number[],
  hooks: Pick<AdmissionHooks, 'health'>,
): NodeView[] {
  const members = change === null ? state.members : unionOf(state.members, change.members);
  return members.map((member, index) => {
    const health = hooks.health(member);
    return {
      name: member.name,
      address: member.address,
      weight: member.weight,
      state: health?.up === false ? 'down' : stateOf(member, state, change),
      share: shares[index] ?? 0,
      keys: health?.keys ?? null,
      usedMemory: health?.usedMemory ?? null,
      error: health?.error ?? null,
      reason: health?.error ?? health?.reason ?? null,
    };
  });
}

function stateOf(member: Member, state: RingState, change: RunningChange | null): NodeState {
  if (change === null) return 'active';
  if (!state.members.some((old) => sameNode(old, member))) return 'joining';
  return change.members.some((next) => sameNode(next, member)) ? 'active' : 'leaving';
}

/** @param running the rings of the change that is under way, over its nodes, or null */
export function locateKeys(
  keys: readonly Buffer[],
  ring: Ring,
  members: readonly Member[],
  running: { readonly union: readonly Member[]; readonly nextRing: Ring } | null,
): WhichView[] {
  return keys.map((key) => {
    const hash = ring.hashOf(key, 0, key.length);
    const member = members[ring.ownerOfHash(hash)];
    const next = running === null ? undefined : running.union[running.nextRing.ownerOfHash(hash)];
    const moves = next !== undefined && member !== undefined && !sameNode(next, member);
    return {
      key: key.toString('utf8'),
      hash,
      node: member?.name ?? '',
      address: member?.address ?? '',
      nextNode: moves ? next.name : null,
    };
  });
}
