/**
 * Counters of which each actor counts its own part (M. Shapiro, N. Preguiça, C. Baquero, M. Zawirski: "A comprehensive
 * study of Convergent and Commutative Replicated Data Types", 2011; G-Counter and PN-Counter).
 */
import { isActor } from './hybrid-clock.js';
import { inOrder, isCount, isRecord, type Lattice } from './lattice.js';

/** What each actor has counted. Only grows. */
export type GrowCounter = ReadonlyMap<string, number>;

/** What each actor has added, and what it has taken away. */
export interface PnCounter {
  readonly added: GrowCounter;
  readonly taken: GrowCounter;
}

export const growCounter: Lattice<GrowCounter> = {
  bottom: new Map(),

  join(a, b) {
    let joined: Map<string, number> | null = null;
    for (const [actor, count] of b) {
      if (count <= (a.get(actor) ?? 0)) continue;
      joined ??= new Map(a);
      joined.set(actor, count);
    }
    return joined ?? a;
  },

  encode: (counter) => Object.fromEntries(inOrder(counter)),

  decode(encoded) {
    if (!isRecord(encoded)) return null;
    const counter = new Map<string, number>();
    for (const [actor, count] of Object.entries(encoded)) {
      if (!isActor(actor) || !isCount(count)) return null;
      if (count > 0) counter.set(actor, count);
    }
    return counter;
  },

  visible: (counter) => growCounter.encode(counter),
  size: (counter) => ({ entries: counter.size, tombstones: 0 }),
  length: (counter) => counter.size,
  newest: () => null,
  prune: (counter) => counter,
};

/** The delta that counts so many more. @param by not negative */
export function grow(counter: GrowCounter, actor: string, by: number): GrowCounter {
  return by === 0 ? growCounter.bottom : new Map([[actor, (counter.get(actor) ?? 0) + by]]);
}

export function totalOf(counter: GrowCounter): number {
  let total = 0;
  for (const count of counter.values()) total += count;
  return total;
}

export const pnCounter: Lattice<PnCounter> = {
  bottom: { added: growCounter.bottom, taken: growCounter.bottom },

  join(a, b) {
    const added = growCounter.join(a.added, b.added);
    const taken = growCounter.join(a.taken, b.taken);
    return added === a.added && taken === a.taken ? a : { added, taken };
  },

  encode: ({ added, taken }) => [growCounter.encode(added), growCounter.encode(taken)],

  decode(encoded) {
    if (!Array.isArray(encoded) || encoded.length !== 2) return null;
    const added = growCounter.decode(encoded[0]);
    const taken = growCounter.decode(encoded[1]);
    return added === null || taken === null ? null : { added, taken };
  },

  visible: (counter) => pnCounter.encode(counter),
  size: ({ added, taken }) => ({ entries: added.size + taken.size, tombstones: 0 }),
  length: ({ added, taken }) => added.size + taken.size,
  newest: () => null,
  prune: (counter) => counter,
};

/** The delta that adds so many, or takes them away. */
export function count({ added, taken }: PnCounter, actor: string, by: number): PnCounter {
  if (by >= 0) return { added: grow(added, actor, by), taken: growCounter.bottom };
  return { added: growCounter.bottom, taken: grow(taken, actor, -by) };
}

export function balanceOf({ added, taken }: PnCounter): number {
  return totalOf(added) - totalOf(taken);
}
