/**
 * The value of one key as a join semilattice: what SET, INCR and SADD write at several proxies at the same time, and
 * what becomes the same everywhere whatever order it comes by.
 *
 *   reset      of SET and DEL the later one counts (a last-writer-wins register), and what was there before it is gone
 *   counters   what each actor has counted since, from when on (Shapiro et al., 2011: PN-Counter). A reset takes away
 *              the counts that began before it; counts that began later are kept, whoever has made the reset
 *   elements   of each element and actor the latest addition and up to which one was removed (Bieniusa et al., 2012:
 *              observed-remove set): removed is what the remover has seen
 *   expiry     when the key ends, the later statement counts. That its time is over is part of the statement, once somebody
 *              has seen it: it does not come back where clocks do, and who has made a later statement goes on
 *
 * Unlike the other types, which are never changed, a state takes in another one in place: a set of a million elements
 * cannot be copied for each that is added. A delta is a small state, and is never changed once it was made.
 */
import { compareStamps, type Stamp } from '../crdt/hybrid-clock.js';

/** What one actor has counted. Both only grow, for as long as `began` is the same. */
export interface Count {
  readonly began: Stamp;
  readonly added: bigint;
  readonly taken: bigint;
}

/** Of one element and one actor. It is in the set while the addition is later than what was removed. */
export interface Addition {
  readonly actor: string;
  readonly added: Stamp | null;
  /** The latest addition that somebody has removed. */
  readonly removed: Stamp | null;
}

export interface Expiry {
  readonly stamp: Stamp;
  /** Milliseconds since 1970; NEVER. */
  readonly at: number;
  /** Somebody's clock has said that it is over: there is no value until something is written, or a later time is. */
  readonly hasEnded: boolean;
}

export const NEVER = Number.POSITIVE_INFINITY;

/**
 * What a state takes in memory, nearly: itself with its reset and expiry, the text's buffer, a count, an element, an
 * addition of it. Measured (heap and buffers, Node.js 20 and 26: `test/fleet/values/memory.test.ts`). Bytes.
 */
const STATE_BYTES = 190;
const BASE_BYTES = 110;
const COUNT_BYTES = 190;
const ELEMENT_BYTES = 130;
const ADDITION_BYTES = 250;

export class KeyState {
  /** Of the last SET or DEL; null: there was none. */
  reset: Stamp | null = null;
  /** What SET has set, as the reply to GET (`$5\r\nhello\r\n`); null: nothing. */
  base: Buffer | null = null;
  expiry: Expiry | null = null;
  /** By actor; null: nobody has counted. */
  counts: Map<string, Count> | null = null;
  /** By element, one character for each byte; null: nothing was ever added. Additions in the order of their actors. */
  elements: Map<string, readonly Addition[]> | null = null;
  /** How many elements are in the set. */
  members = 0;
  /** What it takes in memory, nearly. */
  bytes = STATE_BYTES;

  /** Whether it holds a value, as far as time has not ended it. */
  get isLive(): boolean {
    if (this.expiry?.hasEnded === true) return false;
    return this.base !== null || this.counts !== null || this.members > 0;
  }

  /** Takes in another state. @returns whether that has changed anything */
  absorb(delta: KeyState): boolean {
    let changed = delta.reset !== null && this.#reset(delta.reset, delta.base);
    if (delta.expiry !== null && isLaterExpiry(delta.expiry, this.expiry)) {
      this.expiry = delta.expiry;
      changed = true;
    }
    if (delta.counts !== null) for (const [actor, count] of delta.counts) if (this.#count(actor, count)) changed = true;
    if (delta.elements !== null) {
      for (const [element, additions] of delta.elements) if (this.#addTo(element, additions)) changed = true;
    }
    return changed;
  }

  /** Forgets what was written up to then, since something that is kept elsewhere says that it is gone. */
  trim(upTo: Stamp): void {
    if (this.reset !== null && compareStamps(this.reset, upTo) <= 0) {
      this.bytes -= sizeOf(this.base);
      this.reset = null;
      this.base = null;
    }
    if (this.expiry !== null && compareStamps(this.expiry.stamp, upTo) <= 0) this.expiry = null;
    this.#drop(upTo);
  }

  /** Drops what is kept only so that an older addition of an element does not come back. @returns whether there was something */
  pruneRemoved(before: number): boolean {
    if (this.elements === null) return false;
    let changed = false;
    for (const [element, additions] of this.elements) {
      const kept = additions.filter((addition) => isIn(addition) || latestOf(addition)[0] >= before);
      if (kept.length === additions.length) continue;
      this.#putElement(element, additions, kept);
      changed = true;
    }
    return changed;
  }

  /** Whether the element is in the set. */
  has(element: string): boolean {
    const additions = this.elements?.get(element);
    return additions?.some(isIn) === true;
  }

  /** The elements that are in the set. */
  *present(): Generator<string> {
    for (const [element, additions] of this.elements ?? []) if (additions.some(isIn)) yield element;
  }

  /** The latest of its stamps; null: it has none. */
  newest(): Stamp | null {
    let newest = later(this.reset, this.expiry?.stamp ?? null);
    for (const { began } of this.counts?.values() ?? []) newest = later(newest, began);
    for (const additions of this.elements?.values() ?? []) {
      for (const { added, removed } of additions) newest = later(later(newest, added), removed);
    }
    return newest;
  }

  /** @returns whether this reset counts from now on */
  #reset(stamp: Stamp, base: Buffer | null): boolean {
    const order = this.reset === null ? 1 : compareStamps(stamp, this.reset);
    // Two values under one stamp are nobody's doing who keeps the rules: all take the same one nevertheless.
    if (order < 0 || (order === 0 && !isGreater(base, this.base))) return false;
    this.bytes += sizeOf(base) - sizeOf(this.base);
    this.reset = stamp;
    this.base = base;
    if (order > 0) this.#drop(stamp);
    return true;
  }

  #drop(upTo: Stamp): void {
    if (this.counts !== null) {
      for (const [actor, { began }] of this.counts) {
        if (compareStamps(began, upTo) > 0) continue;
        this.counts.delete(actor);
        this.bytes -= COUNT_BYTES;
      }
      if (this.counts.size === 0) this.counts = null;
    }
    if (this.elements === null) return;
    for (const [element, additions] of this.elements) {
      const kept = additions.flatMap((addition) => since(addition, upTo) ?? []);
      if (kept.some((addition, i) => addition !== additions[i]) || kept.length < additions.length) {
        this.#putElement(element, additions, kept);
      }
    }
  }

  #count(actor: string, { began, added, taken }: Count): boolean {
    if (this.reset !== null && compareStamps(began, this.reset) <= 0) return false;
    this.counts ??= new Map();
    const known = this.counts.get(actor);
    if (known === undefined) {
      this.counts.set(actor, { began, added, taken });
      this.bytes += COUNT_BYTES;
      return true;
    }
    const order = compareStamps(began, known.began);
    if (order < 0) return false;
    if (order > 0) {
      this.counts.set(actor, { began, added, taken });
      return true;
    }
    if (added <= known.added && taken <= known.taken) return false;
    this.counts.set(actor, {
      began,
      added: added > known.added ? added : known.added,
      taken: taken > known.taken ? taken : known.taken,
    });
    return true;
  }

  #addTo(element: string, additions: readonly Addition[]): boolean {
    const own = this.elements?.get(element) ?? NO_ADDITIONS;
    let joined: Addition[] | null = null;
    for (const sent of additions) {
      const addition = this.reset === null ? sent : since(sent, this.reset);
      if (addition === null) continue;
      const at = (joined ?? own).findIndex(({ actor }) => actor === addition.actor);
      const known = (joined ?? own)[at];
      if (known === undefined) {
        joined ??= [...own];
        joined.push(addition);
        continue;
      }
      const added = later(known.added, addition.added);
      const removed = later(known.removed, addition.removed);
      if (added === known.added && removed === known.removed) continue;
      joined ??= [...own];
      joined[at] = { actor: known.actor, added, removed };
    }
    if (joined === null) return false;
    joined.sort((a, b) => (a.actor < b.actor ? -1 : a.actor > b.actor ? 1 : 0));
    this.#putElement(element, own, joined);
    return true;
  }

  #putElement(element: string, before: readonly Addition[], after: readonly Addition[]): void {
    this.members += Number(after.some(isIn)) - Number(before.some(isIn));
    this.bytes += (after.length - before.length) * ADDITION_BYTES;
    this.elements ??= new Map();
    if (after.length === 0) {
      this.elements.delete(element);
      this.bytes -= ELEMENT_BYTES + element.length;
      if (this.elements.size === 0) this.elements = null;
      return;
    }
    if (before.length === 0) this.bytes += ELEMENT_BYTES + element.length;
    this.elements.set(element, after);
  }
}

function sizeOf(base: Buffer | null): number {
  return base === null ? 0 : BASE_BYTES + base.length;
}

const NO_ADDITIONS: readonly Addition[] = [];

/** Whether the addition has not been removed. */
export function isIn({ added, removed }: Addition): boolean {
  return added !== null && (removed === null || compareStamps(added, removed) > 0);
}

/** What of it is later than a reset; null: nothing. */
function since(addition: Addition, reset: Stamp): Addition | null {
  const { actor, added, removed } = addition;
  const isAdded = added !== null && compareStamps(added, reset) > 0;
  const isRemoved = removed !== null && compareStamps(removed, reset) > 0;
  if (isAdded === (added !== null) && isRemoved === (removed !== null)) return addition;
  if (!isAdded && !isRemoved) return null;
  return { actor, added: isAdded ? added : null, removed: isRemoved ? removed : null };
}

function latestOf({ actor, added, removed }: Addition): Stamp {
  return later(added, removed) ?? [0, 0, actor];
}

function later(a: Stamp | null, b: Stamp | null): Stamp | null {
  if (a === null || b === null) return a ?? b;
  return compareStamps(b, a) > 0 ? b : a;
}

function isLaterExpiry(a: Expiry, b: Expiry | null): boolean {
  if (b === null) return true;
  const order = compareStamps(a.stamp, b.stamp);
  if (order !== 0) return order > 0;
  // The moment of an end that was seen may have been said anew (`restamping.ts`): of one statement, that it is over counts.
  return a.hasEnded === b.hasEnded ? a.at > b.at : a.hasEnded;
}

function isGreater(a: Buffer | null, b: Buffer | null): boolean {
  return a !== null && (b === null || Buffer.compare(a, b) > 0);
}
