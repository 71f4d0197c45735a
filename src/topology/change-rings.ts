/** The rings of a state, built: the one that is, and while it changes, the one that follows. */
import { buildRing } from '../ring/build.js';
import type { Ring, RingOptions } from '../ring/ring.js';
import { overNodes } from '../ring/union.js';
import { type Member, type RingState, unionOf } from './state/ring-state.js';

/** Both rings of a change, over the same nodes. */
export interface ChangeRings {
  readonly union: readonly Member[];
  readonly ring: Ring;
  readonly nextRing: Ring;
}

/** Those of a change, and of one that is only tried meanwhile. */
const REMEMBERED = 3;

/** Builds rings, and remembers the last ones: the ring that follows becomes the ring, or the other way round. */
export class RingBuilder {
  #built: readonly { readonly key: string; readonly ring: Ring }[] = [];

  /** Over its members alone. Yields to the event loop. */
  async build(members: readonly Member[], options: RingOptions): Promise<Ring> {
    const key = JSON.stringify([members, options]);
    const known = this.#built.find((entry) => entry.key === key);
    if (known !== undefined) return known.ring;
    const ring = await buildRing(members, options);
    this.#built = [{ key, ring }, ...this.#built].slice(0, REMEMBERED);
    return ring;
  }

  /** @returns null while no change is under way */
  async buildChange({ members, options, change }: RingState): Promise<ChangeRings | null> {
    if (change === null) return null;
    const union = unionOf(members, change.members);
    const ring = await this.build(members, options);
    const nextRing = await this.build(change.members, options);
    return { union, ring: overNodes(ring, union), nextRing: overNodes(nextRing, union) };
  }
}
