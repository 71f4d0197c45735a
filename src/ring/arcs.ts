import type { Ring } from './ring.js';

/** A piece of the hash space with one owner (and, while the ring changes, one next owner). */
export interface RingArc {
  /** Hashes from here on, exclusive; 0 of the first arc. */
  readonly from: number;
  /** Up to this hash, inclusive; 2^32 of the last arc. */
  readonly to: number;
  /** The owner's index in the ring's nodes. */
  readonly owner: number;
  /** Its index in the next ring, which numbers the nodes alike; the same as `owner` where nothing changes hands. */
  readonly next: number;
}

const HASH_SPACE = 2 ** 32;
/** 2^32 over the golden ratio: multiples of it fall evenly. */
const SPREAD = 2_654_435_761;

/**
 * The ring as pieces that cover the hash space, few enough to be drawn.
 * @param nextRing the ring that follows, over the same nodes, or null
 * @param limit most pieces, 1 or more
 * @returns `exact`: the pieces are the ring's arcs; otherwise `limit` equal pieces, each with the owner of its
 *   middle. That is a fair sample: a node has as many of them as its share of the ring is large, which would not be
 *   so if each piece went to whoever owns most of it.
 */
export function ringArcs(ring: Ring, nextRing: Ring | null, limit: number): { exact: boolean; arcs: RingArc[] } {
  const points = ring.points.length + (nextRing?.points.length ?? 0);
  if (ring.options.distribution === 'modula') return { exact: false, arcs: slotArcs(ring, nextRing, limit) };
  const all = points <= limit ? exactArcs(ring, nextRing) : null;
  if (all !== null) return { exact: true, arcs: all };
  const arcs: RingArc[] = [];
  const width = HASH_SPACE / limit;
  for (let piece = 0; piece < limit; piece++) {
    const hash = Math.floor((piece + 0.5) * width);
    append(arcs, ring, nextRing, Math.round(piece * width), Math.round((piece + 1) * width), hash);
  }
  return { exact: false, arcs };
}

/**
 * Slots are no places on a circle; they are drawn side by side. Each piece has the owner of its slot, and the next owner
 * of one of the slot's hashes, another one in each piece.
 */
function slotArcs(ring: Ring, nextRing: Ring | null, limit: number): RingArc[] {
  const arcs: RingArc[] = [];
  const slots = ring.owners.length;
  const turns = Math.floor(HASH_SPACE / slots);
  for (let piece = 0; piece < limit; piece++) {
    const slot = Math.floor((piece * slots) / limit);
    const turn = (Math.imul(piece, SPREAD) >>> 0) % turns;
    const [from, to] = [Math.round((piece * HASH_SPACE) / limit), Math.round(((piece + 1) * HASH_SPACE) / limit)];
    append(arcs, ring, nextRing, from, to, slot + slots * turn);
  }
  return arcs;
}

function exactArcs(ring: Ring, nextRing: Ring | null): RingArc[] {
  const ends = new Set<number>(ring.points);
  for (const point of nextRing?.points ?? []) ends.add(point);
  ends.add(HASH_SPACE);
  const arcs: RingArc[] = [];
  let from = 0;
  for (const to of [...ends].sort((a, b) => a - b)) {
    if (to > 0) append(arcs, ring, nextRing, from, to, Math.min(to, HASH_SPACE - 1));
    from = to;
  }
  return arcs;
}

/** Neighbours that have the same owners become one. @param hash one within the piece */
function append(arcs: RingArc[], ring: Ring, nextRing: Ring | null, from: number, to: number, hash: number): void {
  const owner = ring.ownerOfHash(hash);
  const next = nextRing?.ownerOfHash(hash) ?? owner;
  const last = arcs[arcs.length - 1];
  if (last !== undefined && last.owner === owner && last.next === next) arcs[arcs.length - 1] = { ...last, to };
  else arcs.push({ from, to, owner, next });
}
