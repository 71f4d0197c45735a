/** What the fleet asks of its own ring: nodes that do not answer leave it, and come back. */
import type { ChangeRequest } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import type { NodeHealth } from '../../health/node-monitor.js';
import { type NodeIdentity, sameNode } from '../../node/identity.js';
import { type EjectedNode, ejectedNode, ejectedNow, returning } from '../state/ejection.js';
import type { FleetMember } from '../state/fleet.js';
import { EJECTION_FORMAT, type RingState, type StoredChangeKind } from '../state/ring-state.js';
import type { AbandonRequest, EjectRequest, ReturnRequest } from './ring-requests.js';

/** A change as it is to be looked at, and what else is recorded of it. */
export interface ChangeOfFleet {
  readonly request: ChangeRequest;
  readonly kind: StoredChangeKind;
  readonly summary: string;
  readonly ejecting?: readonly EjectedNode[];
}

/** A ring of which something else was known when that was asked for. */
function otherRing(): RingproxyError {
  return new RingproxyError('CHANGE_RUNNING', 'the ring has changed since the nodes were judged');
}

/**
 * @param health what is known of a node here
 * @throws RingproxyError when the ring is another one, or a node that would get keys cannot be looked at
 */
export function ejection(
  { nodes, generation }: EjectRequest,
  state: RingState,
  members: readonly FleetMember[],
  health: (node: NodeIdentity) => NodeHealth | null,
): ChangeOfFleet {
  if (state.generation !== generation) throw otherRing();
  refuseOlderProxies(members);
  const at = new Date().toISOString();
  const proxies = members.map(({ id }) => id);
  const ejecting = nodes.map((node) => {
    const member = state.members.find((other) => sameNode(other, node));
    if (member === undefined) throw otherRing();
    return ejectedNode(state, member, { at, why: node.why, proxies });
  });
  const names = ejecting.map(({ name }) => name);
  // What it holds of before could not be removed, and would come to light when it answers.
  const dark = state.members.find((member) => !names.includes(member.name) && health(member)?.up === false);
  if (dark !== undefined) {
    throw new RingproxyError(
      'NODE_UNREACHABLE',
      `${names.join(', ')} cannot be ejected while ${dark.name} (${dark.address}) is down as well, which would get keys`,
    );
  }
  return {
    request: { kind: 'remove', remove: names, noDrain: true },
    kind: 'eject',
    summary: `eject ${nodes.map(({ name, address, why }) => `${name} (${address}): ${why}`).join('; ')}`,
    ejecting,
  };
}

/** @throws RingproxyError when the ring is another one, or the node is not ejected */
export function comeback(
  { name, generation }: ReturnRequest,
  state: RingState,
  members: readonly FleetMember[],
): ChangeOfFleet {
  const node = ejectedNow(state).find((ejected) => ejected.name === name);
  if (state.generation !== generation || node === undefined) throw otherRing();
  refuseOlderProxies(members);
  const { address, weight, access } = node;
  return {
    request: { kind: 'add', add: [{ name, address, weight, ...access }], flush: true },
    kind: 'return',
    summary: `return of ${name}, which was ejected`,
  };
}

/**
 * A node that was coming back, as it is kept from then on.
 * @throws RingproxyError when that is not what the ring does
 */
export function abandoned(
  { name, why, generation }: AbandonRequest,
  state: RingState,
  members: readonly FleetMember[],
): EjectedNode {
  const node = returning(state);
  if (state.generation !== generation || node?.name !== name) throw otherRing();
  return ejectedNode(state, node, { at: new Date().toISOString(), why, proxies: members.map(({ id }) => id) });
}

/** @returns the names among those that a request removes of nodes that are none of the ring any more */
export function ejectedAmong({ remove = [] }: ChangeRequest, state: RingState): string[] {
  const ejected = ejectedNow(state).map(({ name }) => name);
  return remove.filter((name) => ejected.includes(name));
}

/** What becomes of ejected nodes that a request removes: nothing moves, so nothing else would say so. */
export function describeForgetting(names: readonly string[]): string {
  const one = names.length === 1;
  const what = `${names.join(', ')} ${one ? 'is' : 'are'} ejected, and ${one ? 'owns' : 'own'} no keys`;
  return `${what}: nothing moves off ${one ? 'it' : 'them'}; once forgotten, ${one ? 'it does' : 'they do'} not come back`;
}

/** What a request asks for beside forgetting these; null: nothing. */
export function withoutEjected(request: ChangeRequest, names: readonly string[]): ChangeRequest | null {
  const remove = (request.remove ?? []).filter((name) => !names.includes(name));
  const { add = [], weights = [], replace = [] } = request;
  if (remove.length + add.length + weights.length + replace.length === 0) return null;
  return { ...request, remove };
}

function refuseOlderProxies(members: readonly FleetMember[]): void {
  const older = members.find(({ info, fencedOff }) => info !== null && !fencedOff && info.format < EJECTION_FORMAT);
  if (older === undefined) return;
  throw new RingproxyError(
    'PEER_VERSION',
    `the proxy ${older.id} (${older.info?.admin ?? ''}) is of a version that knows of no ejected nodes`,
  );
}
