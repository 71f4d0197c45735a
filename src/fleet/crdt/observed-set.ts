/**
 * A set from which is removed what the remover has seen: what is added at the same time elsewhere stays. Removed
 * elements leave nothing behind, since each replica knows which additions it has seen (A. Bieniusa, M. Zawirski,
 * N. Preguiça, M. Shapiro, C. Baquero, V. Balegas, S. Duarte: "An optimized conflict-free replicated set", 2012; as a
 * delta CRDT by Almeida, Shoker and Baquero).
 */
import {
  type CausalContext,
  contextOf,
  type Dot,
  decodeContext,
  encodeContext,
  hasSeen,
  joinContexts,
  NOTHING_SEEN,
  nextDot,
} from './causal-context.js';
import { isActor } from './hybrid-clock.js';
import { inOrder, isCount, type Lattice } from './lattice.js';

export interface ObservedSet {
  /** By element: the additions of it that nobody has removed; never empty. */
  readonly dots: ReadonlyMap<string, readonly Dot[]>;
  /** Additions that were seen, removed or not. */
  readonly seen: CausalContext;
}

const LONGEST_ELEMENT = 512;
const NO_DOTS: readonly Dot[] = [];

/** The delta that adds an element. */
export function addTo(set: ObservedSet, element: string, actor: string): ObservedSet {
  const dot = nextDot(set.seen, actor);
  return { dots: new Map([[element, [dot]]]), seen: contextOf([dot, ...(set.dots.get(element) ?? NO_DOTS)]) };
}

/** The delta that removes an element, as far as additions of it were seen. */
export function removeFrom(set: ObservedSet, element: string): ObservedSet {
  return { dots: new Map(), seen: contextOf(set.dots.get(element) ?? NO_DOTS) };
}

export const observedSet: Lattice<ObservedSet> = {
  bottom: { dots: new Map(), seen: NOTHING_SEEN },

  join(a, b) {
    let dots: Map<string, readonly Dot[]> | null = null;
    const put = (element: string, kept: readonly Dot[]): void => {
      dots ??= new Map(a.dots);
      if (kept.length === 0) dots.delete(element);
      else dots.set(element, kept);
    };
    for (const [element, own] of a.dots) {
      const theirs = b.dots.get(element) ?? NO_DOTS;
      const kept = own.filter((dot) => includes(theirs, dot) || !hasSeen(b.seen, dot));
      const added = theirs.filter((dot) => !includes(own, dot) && !hasSeen(a.seen, dot));
      if (kept.length < own.length || added.length > 0) put(element, [...kept, ...added].sort(compareDots));
    }
    for (const [element, theirs] of b.dots) {
      if (a.dots.has(element)) continue;
      const added = theirs.filter((dot) => !hasSeen(a.seen, dot));
      if (added.length > 0) put(element, [...added].sort(compareDots));
    }
    const seen = joinContexts(a.seen, b.seen);
    return dots === null && seen === a.seen ? a : { dots: dots ?? a.dots, seen };
  },

  encode: ({ dots, seen }) => [Object.fromEntries(inOrder(dots)), encodeContext(seen)],

  decode(encoded) {
    if (!Array.isArray(encoded) || encoded.length !== 2) return null;
    const [elements, context]: readonly unknown[] = encoded;
    const seen = decodeContext(context);
    if (seen === null || typeof elements !== 'object' || elements === null || Array.isArray(elements)) return null;
    const dots = new Map<string, readonly Dot[]>();
    for (const [element, list] of Object.entries(elements)) {
      const decoded = element.length > LONGEST_ELEMENT ? null : decodeDots(list, seen);
      if (decoded === null) return null;
      dots.set(element, decoded);
    }
    return { dots, seen };
  },

  visible: ({ dots }) => Object.fromEntries(inOrder(dots)),
  size: ({ dots }) => ({ entries: dots.size, tombstones: 0 }),
  length: ({ dots }) => dots.size,
  newest: () => null,
  prune: (set) => set,
};

/** Every addition that is told of must have been seen by whoever tells of it. */
function decodeDots(list: unknown, seen: CausalContext): readonly Dot[] | null {
  if (!Array.isArray(list) || list.length === 0) return null;
  const dots: Dot[] = [];
  for (const pair of list as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return null;
    const [actor, count]: readonly unknown[] = pair;
    if (!isActor(actor) || !isCount(count) || !hasSeen(seen, [actor, count])) return null;
    dots.push([actor, count]);
  }
  return dots.sort(compareDots);
}

function includes(dots: readonly Dot[], [actor, count]: Dot): boolean {
  return dots.some((dot) => dot[0] === actor && dot[1] === count);
}

function compareDots(a: Dot, b: Dot): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1];
}
