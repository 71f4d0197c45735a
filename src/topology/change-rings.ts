/** The rings of a state, built: the one that is, and while it changes, the one that follows. */
import { buildRing } from '../ring/build.js';
import type { Ring, RingOptions } from '../ring/ring.js';
import { Rings } from '../ring/rings.js';
import { overNodes } from '../ring/union.js';
import { type Member, type RingState, unionOf } from './state/ring-state.js';

/** The rings of a change, and the members of either. */
export interface ChangeRings {
  /** Those that are members before, in their order, and behind them those that join. */
  readonly union: readonly Member[];
  readonly rings: Rings;
}

/** Those of a change, and of one that is only tried meanwhile. */
const REMEMBERED = 3;

/** Builds rings, and remembers the last ones: the ring that follows becomes the ring, or the other way round. */
export class RingBuilder {
  #built: readonly { readonly key: string; readonly ring: Ring }[] = [];

  /** The ring that does not change. Yields to the event loop. */
  async buildStable({ members, options }: RingState): Promise<Rings> {
    return new Rings(await this.#build(members, options), null);
  }

  /** @returns null while no change is under way */
  async buildChange({ members, options, change }: RingState): Promise<ChangeRings | null> {
    return change === null ? null : this.buildBetween(members, change.members, options);
  }

  /** The rings of a change from some members to others. Yields to the event loop. */
  async buildBetween(members: readonly Member[], next: readonly Member[], options: RingOptions): Promise<ChangeRings> {
    const union = unionOf(members, next);
    const before = await this.#build(members, options);
    const after = await this.#build(next, options);
    const rings = new Rings(overNodes(before, union), overNodes(after, union));
    // Looked for now, since it takes milliseconds: when it is asked for, keys are held.
    rings.sources();
    return { union, rings };
  }

  async #build(members: readonly Member[], options: RingOptions): Promise<Ring> {
    const key = JSON.stringify([members, options]);
    const known = this.#built.find((entry) => entry.key === key);
    if (known !== undefined) return known.ring;
    const ring = await buildRing(members, options);
    this.#built = [{ key, ring }, ...this.#built].slice(0, REMEMBERED);
    return ring;
  }
}
