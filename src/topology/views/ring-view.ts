/** What operators read of the ring and its nodes. */
import type { NodeMasterView, NodeState, OwnNodeView, OwnRingView, WhichView } from '../../admin/api.js';
import type { NodeHealth } from '../../health/node-monitor.js';
import { sameNode } from '../../node/identity.js';
import type { Rings } from '../../ring/rings.js';
import { describeShared, sharedServers } from '../admission/shared-servers.js';
import { type LocalRing, snapshotOf } from '../participant/local-ring.js';
import type { RingManagerHooks } from '../ring-manager-hooks.js';
import { type EjectedNode, ejectedNow } from '../state/ejection.js';
import { type Member, type RingState, type RunningChange, unionOf } from '../state/ring-state.js';
import { phaseOf } from '../state/transitions.js';
import { describeChange, shownPhase } from './change-view.js';

export function describeRing(local: LocalRing, hooks: NodeHooks): OwnRingView {
  const { rings, job } = local;
  const { state } = local.stored;
  return {
    generation: state.generation,
    phase: shownPhase(phaseOf(state)),
    hash: state.options.hash,
    distribution: state.options.distribution,
    hashTag: state.options.hashTag,
    hashTags: [...(state.options.hashTags ?? [])],
    vnodes: state.options.vnodes,
    nodes: [...describeNodes(state, rings, hooks), ...ejectedNow(state).map((node) => describeEjected(node, hooks))],
    change: state.change === null ? null : describeChange(state.change, job?.status ?? null),
  };
}

type NodeHooks = Pick<RingManagerHooks, 'health' | 'speaksTls' | 'master' | 'ejectionNotes'>;

/** @param rings over the ring's nodes and those that join, in their order */
function describeNodes(state: RingState, rings: Rings, hooks: NodeHooks): OwnNodeView[] {
  const { change } = state;
  const shares = rings.shares();
  const nextShares = change === null ? null : rings.nextShares();
  const members = change === null ? state.members : unionOf(state.members, change.members);
  const shared = sharedServers(
    members,
    members.map((member) => hooks.health(member)?.runId ?? null),
  );
  return members.map((member, index) => {
    const health = hooks.health(member);
    const same = shared.find((sharing) => sharing.includes(member));
    const followed = hooks.master(member);
    return {
      name: member.name,
      address: member.address,
      tls: hooks.speaksTls(member),
      weight: member.weight,
      state: health?.up === false ? 'down' : stateOf(member, state, change),
      share: shares[index] ?? 0,
      nextShare: nextShares === null ? null : (nextShares[index] ?? 0),
      ...probed(health),
      reason: reasonOf(
        health,
        followed?.reason ?? '',
        same === undefined ? '' : describeShared(same),
        health?.up === false ? (hooks.ejectionNotes.ofDown(member) ?? '') : '',
      ),
      ejection: null,
      master: followed === null ? null : masterOf(followed),
    };
  });
}

/** What probes have found. */
function probed(
  health: NodeHealth | null,
): Pick<OwnNodeView, 'keys' | 'usedMemory' | 'version' | 'figures' | 'error' | 'downSince'> {
  return {
    keys: health?.keys ?? null,
    usedMemory: health?.usedMemory ?? null,
    version: health?.version ?? null,
    figures: health?.figures ?? null,
    error: health?.error ?? null,
    downSince: health?.downSince ?? null,
  };
}

/** A node that is none of the ring: what it holds is of no use to anybody. */
function describeEjected(node: EjectedNode, hooks: NodeHooks): OwnNodeView {
  const { name, address, weight, since, why, times } = node;
  const health = hooks.health({ name, address });
  const answers =
    health?.up === true ? ['it answers again', hooks.ejectionNotes.ofEjected(node) ?? []].flat().join('; ') : null;
  const now = health?.error ?? health?.reason ?? answers;
  return {
    ...{ name, address, weight, tls: hooks.speaksTls(node), state: 'ejected' },
    ...{ share: 0, nextShare: null },
    ...probed(health),
    reason: `since ${since}: ${why}${now === null ? '' : `; now: ${now}`}`,
    ejection: { since, why, times },
    master: null,
  };
}

/**
 * @param doubt what is strange about where its master is; empty: nothing
 * @param shared with which nodes it is one server; empty: none
 * @param note why it is not ejected; empty: nobody says
 */
function reasonOf(health: NodeHealth | null, doubt: string, shared: string, note: string): string | null {
  const trouble = health?.error ?? health?.reason ?? '';
  return [trouble, doubt, shared, note].filter((text) => text !== '').join('; ') || null;
}

function masterOf({ reason: _reason, ...master }: NodeMasterView & { readonly reason: string }): NodeMasterView {
  return master;
}

function stateOf(member: Member, state: RingState, change: RunningChange | null): NodeState {
  if (change === null) return 'active';
  if (!state.members.some((old) => sameNode(old, member))) return 'joining';
  return change.members.some((next) => sameNode(next, member)) ? 'active' : 'leaving';
}

export function locateKeys(keys: readonly Buffer[], local: LocalRing): WhichView[] {
  const { nodes, rings } = snapshotOf(local);
  return keys.map((key) => {
    const hash = rings.hashOf(key, 0, key.length);
    const member = nodes[rings.ownerOf(hash)];
    const next = nodes[rings.nextOwnerOf(hash)];
    const moves = next !== undefined && member !== undefined && !sameNode(next, member);
    return {
      key: key.toString('utf8'),
      hash: rings.shown(hash),
      node: member?.name ?? '',
      address: member?.address ?? '',
      nextNode: moves ? next.name : null,
    };
  });
}
