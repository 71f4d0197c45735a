/**
 * Which events a replica has seen, each a *dot*: the n-th of an actor. Those without a gap are a number for each actor;
 * the others, which came before their predecessors, are kept one by one until the gap is closed.
 */
import { isActor } from './hybrid-clock.js';
import { inOrder, isCount, isRecord, type Json } from './lattice.js';

export type Dot = readonly [actor: string, count: number];

/** Of one actor: all up to this one, and further ones, in their order. */
interface Seen {
  readonly upTo: number;
  readonly beyond: readonly number[];
}

export type CausalContext = ReadonlyMap<string, Seen>;

export const NOTHING_SEEN: CausalContext = new Map();
const UNSEEN: Seen = { upTo: 0, beyond: [] };
/** A context with more gaps comes from nobody who keeps the rules. */
const MOST_BEYOND = 10_000;

export function hasSeen(context: CausalContext, [actor, count]: Dot): boolean {
  const seen = context.get(actor);
  return seen !== undefined && (count <= seen.upTo || seen.beyond.includes(count));
}

/** The next event of this actor. */
export function nextDot(context: CausalContext, actor: string): Dot {
  const { upTo, beyond } = context.get(actor) ?? UNSEEN;
  return [actor, Math.max(upTo, beyond.at(-1) ?? 0) + 1];
}

export function contextOf(dots: Iterable<Dot>): CausalContext {
  const counts = new Map<string, number[]>();
  for (const [actor, count] of dots) {
    const known = counts.get(actor);
    if (known === undefined) counts.set(actor, [count]);
    else known.push(count);
  }
  return new Map([...counts].map(([actor, beyond]) => [actor, compact(0, beyond)]));
}

/** @returns `a` itself when `b` adds nothing */
export function joinContexts(a: CausalContext, b: CausalContext): CausalContext {
  let joined: Map<string, Seen> | null = null;
  for (const [actor, theirs] of b) {
    const own = a.get(actor) ?? UNSEEN;
    const isKnown = theirs.upTo <= own.upTo && theirs.beyond.every((count) => hasSeen(a, [actor, count]));
    if (isKnown) continue;
    joined ??= new Map(a);
    joined.set(actor, compact(Math.max(own.upTo, theirs.upTo), [...own.beyond, ...theirs.beyond]));
  }
  return joined ?? a;
}

export function encodeContext(context: CausalContext): Json {
  return Object.fromEntries(inOrder(context).map(([actor, { upTo, beyond }]) => [actor, [upTo, ...beyond]]));
}

/** @param encoded from a peer */
export function decodeContext(encoded: unknown): CausalContext | null {
  if (!isRecord(encoded)) return null;
  const context = new Map<string, Seen>();
  for (const [actor, counts] of Object.entries(encoded)) {
    if (!isActor(actor) || !Array.isArray(counts) || counts.length === 0 || counts.length > MOST_BEYOND) return null;
    if (!counts.every(isCount)) return null;
    const [upTo = 0, ...beyond] = counts;
    context.set(actor, compact(upTo, beyond));
  }
  return context;
}

function compact(upTo: number, beyond: readonly number[]): Seen {
  const rest = [...new Set(beyond)].filter((count) => count > upTo).sort((a, b) => a - b);
  let last = upTo;
  let closed = 0;
  while (rest[closed] === last + 1) {
    last++;
    closed++;
  }
  return { upTo: last, beyond: rest.slice(closed) };
}
