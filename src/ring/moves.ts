import { nodeKey } from '../node/identity.js';
import { visitJointSlots } from './modula.js';
import type { Ring } from './ring.js';

/** An arc of the ring that changes owner. */
export interface MovedArc {
  /** Hashes from here on, exclusive; below 0 in the arc that begins behind the last point and goes over the end. */
  readonly from: number;
  /** Up to this hash, inclusive. */
  readonly to: number;
  /** The nodes' names. */
  readonly source: string;
  readonly target: string;
}

export interface RingMove {
  readonly source: string;
  readonly target: string;
  /** Part of the hash space, 0 to 1. */
  readonly share: number;
}

const HASH_SPACE = 2 ** 32;

/** The arcs whose owner is another server in the second ring; exact, in the order of the ring. */
export function movedArcs(before: Ring, after: Ring): MovedArc[] {
  const arcs: MovedArc[] = [];
  visitMovedArcs(before, after, (from, to, sourceIndex, targetIndex) => {
    const source = before.nodes[sourceIndex]?.name ?? '';
    const target = after.nodes[targetIndex]?.name ?? '';
    const last = arcs[arcs.length - 1];
    if (last !== undefined && last.to === from && last.source === source && last.target === target) {
      arcs[arcs.length - 1] = { ...last, to };
    } else {
      arcs.push({ from, to, source, target });
    }
  });
  return arcs;
}

/** What part of the hash space goes from which node to which, by name; exact. A few milliseconds for 100 nodes. */
export function ringMoves(before: Ring, after: Ring): RingMove[] {
  return movedRoutes(before, after).map(({ source, target, share }) => ({
    source: before.nodes[source]?.name ?? '',
    target: after.nodes[target]?.name ?? '',
    share,
  }));
}

/** The same by the nodes' indices in their rings. */
export function movedRoutes(before: Ring, after: Ring): { source: number; target: number; share: number }[] {
  // Widths of arcs are whole numbers up to 2^32: their sums are exact.
  const widths = new Map<number, number>();
  const targets = after.nodes.length;
  const add = (source: number, target: number, width: number): void => {
    const route = source * targets + target;
    widths.set(route, (widths.get(route) ?? 0) + width);
  };
  if (before.options.distribution === 'modula') visitMovedSlots(before, after, add);
  else visitMovedArcs(before, after, (from, to, source, target) => add(source, target, to - from));
  return [...widths].map(([route, width]) => ({
    source: Math.floor(route / targets),
    target: route % targets,
    share: width / HASH_SPACE,
  }));
}

function visitMovedSlots(
  before: Ring,
  after: Ring,
  visit: (source: number, target: number, width: number) => void,
): void {
  const numbers = new Map<string, number>();
  const sources = numberNodes(before, numbers);
  const targets = numberNodes(after, numbers);
  visitJointSlots(before.owners, after.owners, (source, target, share) => {
    if (sources[source] !== targets[target]) visit(source, target, share * HASH_SPACE);
  });
}

/** Walks over the points of both rings in one pass; tells the arcs in front of a point whose owner is another server. */
function visitMovedArcs(
  before: Ring,
  after: Ring,
  visit: (from: number, to: number, source: number, target: number) => void,
): void {
  const a = before.points;
  const b = after.points;
  if (a.length === 0 || b.length === 0) return;
  const numbers = new Map<string, number>();
  const sources = numberNodes(before, numbers);
  const targets = numberNodes(after, numbers);
  let from = Math.max(a[a.length - 1] as number, b[b.length - 1] as number) - HASH_SPACE;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = i < a.length ? (a[i] as number) : HASH_SPACE;
    const right = j < b.length ? (b[j] as number) : HASH_SPACE;
    const to = left < right ? left : right;
    // Behind its last point a ring goes on at its first one.
    const source = before.owners[i < a.length ? i : 0] as number;
    const target = after.owners[j < b.length ? j : 0] as number;
    if (sources[source] !== targets[target]) visit(from, to, source, target);
    while (i < a.length && a[i] === to) i++;
    while (j < b.length && b[j] === to) j++;
    from = to;
  }
}

/** For each node a number that stands for its name and address: comparing those is cheaper than comparing strings. */
function numberNodes(ring: Ring, numbers: Map<string, number>): Uint32Array {
  return Uint32Array.from(ring.nodes, (node) => {
    const key = nodeKey(node);
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
}
