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
import type { Ring } from '../../ring/ring.js';
import type { RoutedNode, RoutingSnapshot } from '../snapshot.js';

const NODE_IDS = 1024n;
/**
 * Of so many states in a row each has its own stamp. A node's cursor is a position in its hash table, so with these
 * two factors even that of 500 million keys stays exact in clients that take cursors for floating-point numbers.
 */
const STAMPS = 4096n;
const STATES_OF_GENERATION = 3;

export type WalkedRing = Pick<RoutingSnapshot, 'generation' | 'phase' | 'ring' | 'nextRing' | 'nodes'>;

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

export function walkOf(snapshot: WalkedRing): Walk {
  const { generation, phase, ring, nextRing, nodes } = snapshot;
  const state = generation * STATES_OF_GENERATION;
  if (phase !== 'moving' || nextRing === null) {
    const order = nodes.filter((_, index) => countOf(ring, index) > 0).sort((a, b) => a.id - b.id);
    return { order, stamps: [stamp(state)] };
  }
  const ranks = new Map(nodes.map((node, index) => [node, rank(countOf(ring, index), countOf(nextRing, index))]));
  const order = nodes
    .filter((node) => ranks.get(node) !== undefined)
    .sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0) || a.id - b.id);
  const isOneWay =
    ring.options.weighting === 'own' &&
    [SHRINKS, GROWS].every((both) => [...ranks.values()].filter((own) => own === both).length <= 1);
  return { order, stamps: isOneWay ? [stamp(state + 1)] : [stamp(state + 1), stamp(state + 2)] };
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
  if (inNode !== 0n) return encode(walk, round, node, inNode);
  const next = walk.order[walk.order.indexOf(node) + 1];
  if (next !== undefined) return encode(walk, round, next, 0n);
  const [first] = walk.order;
  return round + 1 < walk.stamps.length && first !== undefined ? encode(walk, round + 1, first, 0n) : '0';
}

function encode({ stamps }: Walk, round: number, node: RoutedNode, inNode: bigint): string {
  return ((inNode * STAMPS + (stamps[round] as bigint)) * NODE_IDS + BigInt(node.id)).toString();
}

/** Never 0. */
function stamp(state: number): bigint {
  return 1n + (BigInt(state) % (STAMPS - 1n));
}

const LEAVES = 0;
const SHRINKS = 1;
const STAYS = 2;
const GROWS = 3;
const JOINS = 4;

/**
 * A key moves because its node loses the key's point, or because another one gets a point in front of it. So with
 * points that depend on their node alone keys go from lower ranks to higher ones, and else from a node that shrinks to
 * another one, or from one that grows to another one.
 * @returns undefined for a node that has no points
 */
function rank(before: number, after: number): number | undefined {
  if (before === 0) return after === 0 ? undefined : JOINS;
  if (after === 0) return LEAVES;
  return after < before ? SHRINKS : after > before ? GROWS : STAYS;
}

function countOf(ring: Ring, index: number): number {
  return ring.pointCounts[index] ?? 0;
}
