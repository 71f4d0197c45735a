import type { Ring } from './ring.js';

/** An arc of the ring that changes owner: hashes from `from` (exclusive) to `to` (inclusive). */
export interface MovedArc {
  readonly from: number;
  readonly to: number;
  readonly source: string;
  readonly target: string;
}

const HASH_SPACE = 2 ** 32;

/** The arcs whose owner, by name, differs between two rings; exact, in the order of the ring. */
export function movedArcs(before: Ring, after: Ring): MovedArc[] {
  const arcs: MovedArc[] = [];
  if (before.points.length === 0 || after.points.length === 0) return arcs;
  const ends = mergedPoints(before.points, after.points);
  let from = (ends[ends.length - 1] as number) - HASH_SPACE;
  for (const to of ends) {
    if (to === from) continue;
    const source = before.nodes[before.ownerOfHash(to)]?.name ?? '';
    const target = after.nodes[after.ownerOfHash(to)]?.name ?? '';
    if (source !== target) {
      const last = arcs[arcs.length - 1];
      if (last !== undefined && last.to === from && last.source === source && last.target === target) {
        arcs[arcs.length - 1] = { ...last, to };
      } else {
        arcs.push({ from, to, source, target });
      }
    }
    from = to;
  }
  return arcs;
}

/** What part of the hash space goes from which node to which. */
export function ringMoves(before: Ring, after: Ring): { source: string; target: string; share: number }[] {
  const moves = new Map<string, { source: string; target: string; share: number }>();
  for (const arc of movedArcs(before, after)) {
    const identity = `${arc.source}\n${arc.target}`;
    const move = moves.get(identity) ?? { source: arc.source, target: arc.target, share: 0 };
    move.share += (arc.to - arc.from) / HASH_SPACE;
    moves.set(identity, move);
  }
  return [...moves.values()];
}

function mergedPoints(a: Uint32Array, b: Uint32Array): Uint32Array {
  const merged = new Uint32Array(a.length + b.length);
  merged.set(a);
  merged.set(b, a.length);
  return merged.sort();
}
