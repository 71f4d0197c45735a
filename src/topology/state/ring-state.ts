/** What a ring is, and what its members may become. Which phase follows which is `transitions.ts`. */
import { MOST_NODES } from '../../config/node-limits.js';
import { RingproxyError } from '../../errors.js';
import { type AccessedNode, type NodeAccess, takenOver } from '../../node/access.js';
import { parseFollowed } from '../../node/followed.js';
import { type NodeIdentity, sameNode } from '../../node/identity.js';
import { pointMistakes } from '../../ring/node-points.js';
import type { NodeSpec } from '../../ring/node-spec.js';
import type { RingOptions } from '../../ring/ring.js';
import type { EjectedNode, ReturnedNode } from './ejection.js';

/** A node of the ring, as it is kept. */
export interface Member extends NodeSpec, AccessedNode {
  /** The number that SCAN cursors know it by: 0 to 1023, unique among the nodes of a ring and of the ring that follows it. */
  readonly id: number;
}

/** `eject`, `return`: by the fleet itself. */
export type StoredChangeKind = 'add' | 'remove' | 'reweight' | 'replace' | 'apply' | 'cancel' | 'eject' | 'return';

/** The server process behind a node. */
export interface NodeProcess extends NodeIdentity {
  readonly runId: string;
}

/**
 * - `preparing`: commands on moved keys are held until everybody has acknowledged.
 * - `moving`: keys move; the change only goes forward.
 * - `turning`: the change is to be turned round: moves hold still, and moved keys are held as in `preparing`.
 */
export type ChangePhase = 'preparing' | 'moving' | 'turning';

/**
 * What a fleet does while the store is out of reach. `strict`: new connections to nodes wait; a member that does not answer is passed
 * when it is certain that it can do no harm. `available`: new connections are used even then; nobody is passed
 * automatically.
 */
export type Consistency = 'strict' | 'available';

/** A change that is under way: the ring that follows, and how far it is. */
export interface RunningChange {
  readonly id: string;
  readonly kind: StoredChangeKind;
  readonly phase: ChangePhase;
  /** Of the ring that follows. */
  readonly members: readonly Member[];
  readonly startedAt: string;
  readonly summary: string;
  /** The proxy at which it was asked for. Missing in records of before. */
  readonly by?: string | undefined;
  /** Who has asked for it, as the history tells. Missing in records of before. */
  readonly who?: string | undefined;
  /** Nodes that are gone: nothing is moved off them. */
  readonly undrained: readonly string[];
  /** Those of them that are given up only if the fence that is raised is passed. Missing: none. */
  readonly givingUp?: readonly string[] | undefined;
  /** Those of them that are not gone: they get another address, which leads to the same server. Missing: none. */
  readonly readdressed?: readonly string[] | undefined;
  /** The nodes' processes, as they were when the first fence of the change was passed: see `rebalance/trust.ts`. */
  readonly processes: readonly NodeProcess[];
  /** Keys a second at most; 0, or missing in records of before: as fast as it goes. */
  readonly throttle?: number | undefined;
  /** Sweeps hold still, since an operator wants it so; keys that clients ask for go on moving. Missing: not. */
  readonly paused?: boolean | undefined;
  /** How often an operator has resumed it: each time what has failed is tried again. Missing: never. */
  readonly resumes?: number | undefined;
  /** Sweeps are to hold still, since the change may be turned round in a moment. Missing: not. */
  readonly still?: boolean | undefined;
  /** Keys that were given up so far, in all turns of the change; as kept, it may be a moment behind. */
  readonly keysDropped?: number | undefined;
  /** Of an `eject`, and a `return` that is turned round: the nodes that it takes out, as they are kept from then on. */
  readonly ejecting?: readonly EjectedNode[] | undefined;
}

/**
 * The format of the ring's record. Proxies of several versions may serve one ring: what is recorded has the newest
 * format that all members understand, and one that understands only older ones does not join.
 */
export const RECORD_FORMAT = 3;
/** Who understands less knows of no nodes that were ejected, and would forget them with the next change. */
export const EJECTION_FORMAT = 3;

/** Whether nobody has asked for it: the fleet takes out a node that has failed, or lets it come back. */
export function isByFleet({ kind }: Pick<RunningChange, 'kind'>): boolean {
  return kind === 'eject' || kind === 'return';
}

/**
 * @returns the oldest format that says all of it: who reads format 1 knows of no patterns, and would look elsewhere for
 * keys; who reads format 2 cannot reach nodes that are followed
 */
export function recordFormat({
  options,
  members,
  change,
  ejected = [],
  returned = [],
}: Pick<RingState, 'options' | 'members' | 'change' | 'ejected' | 'returned'>): number {
  if ((change !== null && isByFleet(change)) || ejected.length > 0 || returned.length > 0) return EJECTION_FORMAT;
  if ([...members, ...(change?.members ?? [])].some(({ address }) => parseFollowed(address) !== null)) return 3;
  return (options.hashTags ?? []).length > 0 ? 2 : 1;
}

/** One generation: what decides which node owns a key; and the change to the next one. */
export interface RingState {
  readonly generation: number;
  readonly members: readonly Member[];
  readonly options: RingOptions;
  readonly change: RunningChange | null;
  /** Missing: `strict`. */
  readonly consistency?: Consistency | undefined;
  /** Nodes that the fleet has taken out, and that come back when they answer. Missing: none. */
  readonly ejected?: readonly EjectedNode[] | undefined;
  /** Members that have come back lately. Missing: none. */
  readonly returned?: readonly ReturnedNode[] | undefined;
  /** The processes that may serve: see `processes.ts`. Missing: any may, or a proxy of before has recorded the ring last. */
  readonly processes?: readonly NodeProcess[] | undefined;
}

/** A node that is to be a member. */
export interface NewMember extends NodeSpec {
  readonly access?: NodeAccess | undefined;
}

/** What the membership is to become. */
export interface WantedMembers {
  readonly add?: readonly NewMember[] | undefined;
  readonly remove?: readonly string[] | undefined;
  readonly weights?: readonly { readonly name: string; readonly weight: number }[] | undefined;
  /** New addresses of nodes that keep their names, and with them their place on the ring. */
  readonly replace?: readonly Omit<NewMember, 'weight'>[] | undefined;
}

/** The first generation. */
export function firstState(nodes: readonly NewMember[], options: RingOptions): RingState {
  if (nodes.length === 0) {
    throw new RingproxyError('NO_NODES', 'the ring has no nodes');
  }
  return { generation: 1, members: addMembers([], [], nodes), options, change: null };
}

/** The members of the generation that follows. @throws RingproxyError when that is no ring, or the same one */
export function nextMembers(state: RingState, wanted: WantedMembers): Member[] {
  const remove = wanted.remove ?? [];
  const weights = wanted.weights ?? [];
  const replace = wanted.replace ?? [];
  for (const name of [...remove, ...weights.map((entry) => entry.name), ...replace.map((entry) => entry.name)]) {
    requireMember(state, name);
  }
  let members = state.members
    .filter((member) => !remove.includes(member.name))
    .map((member) => ({
      ...member,
      weight: weights.find((entry) => entry.name === member.name)?.weight ?? member.weight,
    }));
  const moved = members.flatMap((member) => {
    const entry = replace.find(({ name }) => name === member.name);
    if (entry === undefined || entry.address === member.address) return [];
    return [{ ...member, address: entry.address, access: takenOver(member.access, entry.access ?? {}) }];
  });
  members = members.filter((member) => !moved.some((other) => other.name === member.name));
  members = addMembers(members, state.members, [...moved, ...(wanted.add ?? [])]);
  const [excess] = pointMistakes(members, state.options);
  if (excess !== undefined) {
    const name = members[excess.index]?.name ?? '';
    throw new RingproxyError('TOO_MANY_POINTS', `node ${name}: ${excess.message}`);
  }
  if (members.length === 0) {
    throw new RingproxyError('RING_EMPTY', 'the ring would have no nodes left');
  }
  const same =
    members.length === state.members.length &&
    members.every((member) => state.members.some((old) => sameNode(old, member) && old.weight === member.weight));
  if (same) throw new RingproxyError('NOTHING_TO_CHANGE', 'the ring is like that already');
  return members;
}

/** The nodes of a ring and of the one that follows, each once, in one order. */
export function unionOf(members: readonly Member[], next: readonly Member[]): Member[] {
  return [...members, ...next.filter((member) => !members.some((old) => sameNode(old, member)))];
}

/**
 * The servers of these names in the ring before a change: where one is replaced, the one that takes its place has the same name.
 * @param union as of `unionOf`
 */
export function serversBefore(union: readonly Member[], names: readonly string[]): Member[] {
  return names.flatMap((name) => union.find((member) => member.name === name) ?? []);
}

/** The nodes of a change without those whose keys were given up: nothing is asked of these. @param union as of `unionOf` */
export function withoutGivenUp(union: readonly Member[], { undrained }: Pick<RunningChange, 'undrained'>): Member[] {
  const given = serversBefore(union, undrained);
  return union.filter((member) => !given.includes(member));
}

function requireMember(state: RingState, name: string): void {
  if (state.members.some((member) => member.name === name)) return;
  const ejected = state.ejected?.find((node) => node.name === name);
  if (ejected !== undefined) {
    throw new RingproxyError('NODE_EJECTED', `${name} (${ejected.address}) is no member of the ring: it is ejected`);
  }
  const known = state.members.map((member) => member.name).join(', ');
  throw new RingproxyError('UNKNOWN_NODE', `the ring has no node ${name}`, `its nodes are: ${known}`);
}

/** @param leaving nodes that leave, or are replaced: their ids are still in use while the ring changes */
function addMembers(members: readonly Member[], leaving: readonly Member[], nodes: readonly NewMember[]): Member[] {
  const result = [...members];
  for (const { name, address, weight, access = {} } of nodes) {
    const sameName = result.find((member) => member.name === name);
    if (sameName !== undefined) {
      throw new RingproxyError('NAME_TAKEN', `the ring has a node ${name} already (${sameName.address})`);
    }
    const sameAddress = result.find((member) => member.address === address);
    if (sameAddress !== undefined) {
      throw new RingproxyError('ADDRESS_TAKEN', `${address} is in the ring already, as ${sameAddress.name}`);
    }
    result.push({ name, address, weight, access, id: freeId([...result, ...leaving]) });
  }
  return result;
}

function freeId(members: readonly Member[]): number {
  for (let id = 0; id < MOST_NODES; id++) if (!members.some((member) => member.id === id)) return id;
  throw new RingproxyError('RING_FULL', `the ring has ${MOST_NODES} nodes`);
}

/** What a configuration says otherwise than the ring that exists already. @returns a sentence for each difference */
export function differences(state: RingState, nodes: readonly NodeSpec[], options: RingOptions): string[] {
  const found: string[] = [];
  for (const node of nodes) {
    const member = state.members.find((candidate) => candidate.name === node.name);
    if (member === undefined) {
      const isEjected = state.ejected?.some((ejected) => sameNode(ejected, node)) === true;
      found.push(`node ${node.name} (${node.address}) is ${isEjected ? 'ejected' : 'not in the ring'}`);
    } else if (member.address !== node.address) {
      found.push(`node ${node.name} is at ${member.address} in the ring, not at ${node.address}`);
    } else if (member.weight !== node.weight) {
      found.push(`node ${node.name} has weight ${member.weight} in the ring, not ${node.weight}`);
    }
  }
  if (nodes.length > 0) {
    for (const member of state.members) {
      if (!nodes.some((node) => node.name === member.name)) {
        found.push(`node ${member.name} (${member.address}) is in the ring, but is not configured`);
      }
    }
  }
  const ring = state.options;
  if (ring.hash !== options.hash) found.push(`the ring hashes with ${ring.hash}, not with ${options.hash}`);
  if (ring.hashTag !== options.hashTag)
    found.push(`the ring's hash tag is '${ring.hashTag}', not '${options.hashTag}'`);
  const [have, want] = [ring.hashTags ?? [], options.hashTags ?? []].map((patterns) => patterns.join(' '));
  if (have !== want) found.push(`the ring's hash tag patterns are '${have}', not '${want}'`);
  if (ring.distribution !== options.distribution) {
    found.push(`the ring's distribution is ${ring.distribution}, not ${options.distribution}`);
  }
  if (ring.vnodes !== options.vnodes) found.push(`the ring has ${ring.vnodes} vnodes, not ${options.vnodes}`);
  if (ring.weighting !== options.weighting) {
    found.push(`the ring's weighting is ${ring.weighting}, not ${options.weighting}`);
  }
  return found;
}
