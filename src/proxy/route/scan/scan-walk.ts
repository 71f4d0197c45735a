/**
 * In which order SCAN walks the nodes, and what its cursors mean; pure.
 *
 * SCAN's guarantee is that a key that is there all the time is returned. A node keeps it for keys that stay on it
 * while it is walked. So a key that moves must be looked for on its new node after its old one. A walk counts only
 * when the ring was in one state from its first page to its last: each cursor carries the *stamp* of that state, and
 * one of another state begins a walk anew. Keys may be returned twice then, as SCAN allows, but none is missed.
 *
 *   stable, preparing      keys stay where they are: any order that stays the same. A change that is prepared, or given
 *                          up, is the same state, so what joins is not walked yet
 *   moving                 sources before targets; where some nodes are both, one round of all nodes, and another one
 *
 * While it is undecided whether keys go on moving, or back (a cancel), it is still the state of the change that goes on.
 */
import type { Rings } from '../../../ring/rings.js';
import type { RoutedNode, RoutingSnapshot } from '../../snapshot.js';

const NODE_IDS = 1024n;
/**
 * Of so many states in a row each has its own stamp. A node's cursor is a position in its hash table, so with these
 * two factors even that of 500 million keys stays exact in clients that take cursors for floating-point numbers.
 */
const STAMPS = 4096n;
const STATES_OF_GENERATION = 3;

export type WalkedRing = Pick<RoutingSnapshot, 'generation' | 'phase' | 'rings' | 'nodes'>;

/** How the ring is walked in its present state. */
export interface Walk {
  readonly order: readonly RoutedNode[];
  /** The stamp of each round. */
  readonly stamps: readonly bigint[];
}

/** A page to be asked for. */
export interface Place {
  readonly node: RoutedNode;
  /** The node's own. */
  readonly cursor: bigint;
  readonly round: number;
}

/**
 * While keys move, each SCAN asks for the same walk: by the rings of the change. Nodes are kept by their indices, since
 * each snapshot has objects of its own for them.
 */
const walks = new WeakMap<Rings, { readonly order: readonly number[]; readonly circular: boolean }>();

export function walkOf(snapshot: WalkedRing): Walk {
  const { generation, phase, rings, nodes } = snapshot;
  const state = generation * STATES_OF_GENERATION;
  if (phase !== 'moving' || !rings.isChanging) {
    const order = nodes.filter((_, index) => rings.has(index)).sort((a, b) => a.id - b.id);
    return { order, stamps: [stamp(state)] };
  }
  let known = walks.get(rings);
  if (known === undefined) {
    const indices = [...nodes.keys()]
      .filter((index) => rings.has(index) || rings.willHave(index))
      .sort((a, b) => (nodes[a]?.id ?? 0) - (nodes[b]?.id ?? 0));
    known = rings.walk(indices);
    walks.set(rings, known);
  }
  return {
    order: known.order.flatMap((index) => nodes[index] ?? []),
    stamps: known.circular ? [stamp(state + 1), stamp(state + 2)] : [stamp(state + 1)],
  };
}

/** Where the client's cursor goes on; from the beginning where it belongs to another state of the ring, or is 0. */
export function placeOf({ order, stamps }: Walk, cursor: bigint): Place | null {
  const round = stamps.indexOf((cursor / NODE_IDS) % STAMPS);
  const node = order.find(({ id }) => BigInt(id) === cursor % NODE_IDS);
  if (round >= 0 && node !== undefined) return { node, cursor: cursor / (NODE_IDS * STAMPS), round };
  const [first] = order;
  return first === undefined ? null : { node: first, cursor: 0n, round: 0 };
}

/** The client's cursor behind a page. @param inNode the cursor that the node gave; 0: it is through */
export function cursorBehind(walk: Walk, { node, round }: Place, inNode: bigint): string {
  if (inNode !== 0n) return cursorAt(walk, { node, cursor: inNode, round });
  const next = walk.order[walk.order.indexOf(node) + 1];
  if (next !== undefined) return cursorAt(walk, { node: next, cursor: 0n, round });
  const [first] = walk.order;
  const isDone = round + 1 === walk.stamps.length || first === undefined;
  return isDone ? '0' : cursorAt(walk, { node: first, cursor: 0n, round: round + 1 });
}

/** The client's cursor for a page that is to be asked for. */
export function cursorAt({ stamps }: Walk, { node, cursor, round }: Place): string {
  return ((cursor * STAMPS + (stamps[round] as bigint)) * NODE_IDS + BigInt(node.id)).toString();
}

/** The client's cursor for keys that no node has, which are walked behind the nodes. @param from from 0 on */
export function localCursor(from: number): string {
  return ((BigInt(from) + 1n) * STAMPS * NODE_IDS).toString();
}

/** Where among the keys that no node has this cursor goes on; null: it is none for them. */
export function localPlaceOf(cursor: bigint): number | null {
  if (cursor === 0n || cursor % (NODE_IDS * STAMPS) !== 0n) return null;
  return Number(cursor / (NODE_IDS * STAMPS) - 1n);
}

/** Never 0: that is the stamp of what no node has. */
function stamp(state: number): bigint {
  return 1n + (BigInt(state) % (STAMPS - 1n));
}
