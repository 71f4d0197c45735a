/** Nodes that the fleet has taken out of the ring by itself, and what they have to do to come back: pure. */
import { type NodeIdentity, sameNode } from '../../node/identity.js';
import type { Member, RingState, RunningChange } from './ring-state.js';

/** A node that was taken out since it did not answer. It is no member: it owns nothing, and nothing is asked of it. */
export interface EjectedNode extends Member {
  /** ISO date. */
  readonly since: string;
  /** For people. */
  readonly why: string;
  /** How often it was taken out lately, this time included: the more often, the longer it must answer to come back. */
  readonly times: number;
  /** The ids of the proxies that served the ring then: it may have connections of theirs on which commands still lie. */
  readonly proxies: readonly string[];
}

/** A node that came back: if it fails again soon, it has to wait for longer. */
export interface ReturnedNode extends NodeIdentity {
  readonly times: number;
  /** ISO date. */
  readonly at: string;
}

/** Each time of having failed is forgotten when a node has served for so long. Milliseconds. */
export const FORGIVEN_AFTER_MS = 600_000;
/** More are not counted: the time to wait has reached its bound long before. */
const MOST_TIMES = 30;

/** How often a node that came back counts as having failed. @param now milliseconds since 1970 */
export function timesLeft({ times, at }: ReturnedNode, now: number): number {
  const served = Math.max(0, now - new Date(at).getTime());
  return Math.max(0, times - Math.floor(served / FORGIVEN_AFTER_MS));
}

/**
 * For how long an ejected node must answer without a break before it comes back.
 * @param first the time to wait of one that has failed once; doubled each further time, up to `most`. Milliseconds
 */
export function timeToReturn({ times }: Pick<EjectedNode, 'times'>, first: number, most: number): number {
  return Math.min(most, first * 2 ** (times - 1));
}

/** A member as it is kept once it is taken out. @param at ISO date */
export function ejectedNode(
  state: RingState,
  member: Member,
  { at, why, proxies }: { readonly at: string; readonly why: string; readonly proxies: readonly string[] },
): EjectedNode {
  const before = state.returned?.find((node) => sameNode(node, member));
  // One that was on its way back.
  const still = state.ejected?.find((node) => sameNode(node, member))?.times ?? 0;
  const times = before === undefined ? still : timesLeft(before, new Date(at).getTime());
  return { ...member, since: at, why, proxies, times: Math.min(MOST_TIMES, times + 1) };
}

/** Whether this is the server, or has the name, of a node that was taken out. */
export function isAsEjected(ejected: NodeIdentity, node: NodeIdentity): boolean {
  return ejected.name === node.name || ejected.address === node.address;
}

/** Those that are neither members nor about to become some. */
export function ejectedNow({ ejected = [], members, change }: RingState): readonly EjectedNode[] {
  const present = [...members, ...(change?.members ?? [])];
  return ejected.filter((node) => !present.some((member) => isAsEjected(node, member)));
}

/** The node that is on its way back, by a change that the fleet has begun; null: there is none. */
export function returning({ members, change }: RingState): Member | null {
  if (change?.kind !== 'return') return null;
  return change.members.find((node) => !members.some((member) => sameNode(member, node))) ?? null;
}

/** The node whose return somebody has cancelled, and that hands back what it was given; null: there is none. */
export function takenBack({ members, change, ejected = [] }: RingState): Member | null {
  if (change?.kind !== 'cancel') return null;
  const leaves = (node: Member): boolean => !change.members.some((member) => sameNode(member, node));
  const node = members.find((member) => leaves(member) && ejected.some((other) => sameNode(other, member)));
  return node === undefined || change.undrained.includes(node.name) ? null : node;
}

/**
 * What is known of nodes that were taken out once a change has ended: those that it takes out, and no others that
 * have become members, or whose name or server has.
 */
export function ejectedAfter(
  state: RingState,
  { members, kind, startedAt, ejecting = [] }: RunningChange,
): Pick<RingState, 'ejected' | 'returned'> {
  const { ejected = [], returned = [] } = state;
  const now = new Date(startedAt).getTime();
  const isMember = (node: NodeIdentity): boolean => members.some((member) => isAsEjected(node, member));
  const back = ejected.filter((node) => kind === 'return' && members.some((member) => sameNode(member, node)));
  const remembered = [
    ...returned.filter((node) => timesLeft(node, now) > 0 && !back.some((other) => isAsEjected(other, node))),
    ...back.map(({ name, address, times }) => ({ name, address, times, at: startedAt })),
  ];
  return listed(
    [...ejected.filter((node) => !ejecting.some((anew) => isAsEjected(anew, node))), ...ejecting].filter(
      (node) => !isMember(node),
    ),
    remembered.filter((node) => members.some((member) => sameNode(member, node))),
  );
}

/** These do not come back any more. */
export function forgetEjected(state: RingState, names: readonly string[]): RingState {
  const { ejected = [], returned = [], ...rest } = state;
  const kept = ejected.filter(({ name }) => !names.includes(name));
  return { ...rest, ...listed(kept, returned) };
}

/** A ring that has none says nothing of them: proxies of before can read it. */
function listed(
  ejected: readonly EjectedNode[],
  returned: readonly ReturnedNode[],
): Pick<RingState, 'ejected' | 'returned'> {
  return {
    ...(ejected.length > 0 && { ejected }),
    ...(returned.length > 0 && { returned }),
  };
}
