/** The ring's state and the changes to it as pure functions; who owns and keeps it is `ring-manager.ts`. */
import { RingproxyError } from '../errors.js';
import type { NodeSpec } from '../ring/node-spec.js';
import type { RingOptions } from '../ring/ring.js';

/** A node with the number that SCAN cursors know it by. */
export interface Member extends NodeSpec {
  /** 0 to 1023, unique among the members. */
  readonly id: number;
}

/** One generation: what decides which node owns a key. */
export interface RingState {
  readonly generation: number;
  readonly members: readonly Member[];
  readonly options: RingOptions;
}

/** SCAN cursors have room for this many ids. */
const MOST_MEMBERS = 1024;

/** The first generation. */
export function firstState(nodes: readonly NodeSpec[], options: RingOptions): RingState {
  if (nodes.length === 0) {
    throw new RingproxyError('NO_NODES', 'the ring has no nodes', 'name at least one with --node NAME=HOST:PORT');
  }
  return { generation: 1, members: addMembers([], nodes), options };
}

/** The generation in which `nodes` have joined. @throws RingproxyError when a name or an address is taken */
export function withNodes(state: RingState, nodes: readonly NodeSpec[]): RingState {
  return { ...state, generation: state.generation + 1, members: addMembers(state.members, nodes) };
}

/** The generation in which the nodes of these names have left. @throws RingproxyError */
export function withoutNodes(state: RingState, names: readonly string[]): RingState {
  for (const name of names) {
    if (!state.members.some((member) => member.name === name)) {
      const known = state.members.map((member) => member.name).join(', ');
      throw new RingproxyError('UNKNOWN_NODE', `the ring has no node ${name}`, `its nodes are: ${known}`, 404);
    }
  }
  const members = state.members.filter((member) => !names.includes(member.name));
  if (members.length === 0) {
    throw new RingproxyError('RING_EMPTY', 'the ring would have no nodes left', 'add another node first', 409);
  }
  return { ...state, generation: state.generation + 1, members };
}

function addMembers(members: readonly Member[], nodes: readonly NodeSpec[]): Member[] {
  const result = [...members];
  for (const node of nodes) {
    const sameName = result.find((member) => member.name === node.name);
    if (sameName !== undefined) {
      throw new RingproxyError(
        'NAME_TAKEN',
        `the ring has a node ${node.name} already (${sameName.address})`,
        'choose another name',
        409,
      );
    }
    const sameAddress = result.find((member) => member.address === node.address);
    if (sameAddress !== undefined) {
      throw new RingproxyError(
        'ADDRESS_TAKEN',
        `${node.address} is in the ring already, as ${sameAddress.name}`,
        'a node can be in the ring once',
        409,
      );
    }
    result.push({ name: node.name, address: node.address, weight: node.weight, id: freeId(result) });
  }
  return result;
}

function freeId(members: readonly Member[]): number {
  for (let id = 0; id < MOST_MEMBERS; id++) if (!members.some((member) => member.id === id)) return id;
  throw new RingproxyError('RING_FULL', `the ring has ${MOST_MEMBERS} nodes`, 'remove some first', 409);
}

/** What a configuration says otherwise than the ring that exists already. @returns a sentence for each difference */
export function differences(state: RingState, nodes: readonly NodeSpec[], options: RingOptions): string[] {
  const found: string[] = [];
  for (const node of nodes) {
    const member = state.members.find((candidate) => candidate.name === node.name);
    if (member === undefined) found.push(`node ${node.name} (${node.address}) is not in the ring`);
    else if (member.address !== node.address) {
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
  if (ring.vnodes !== options.vnodes) found.push(`the ring has ${ring.vnodes} vnodes, not ${options.vnodes}`);
  if (ring.weighting !== options.weighting) {
    found.push(`the ring's weighting is ${ring.weighting}, not ${options.weighting}`);
  }
  return found;
}
