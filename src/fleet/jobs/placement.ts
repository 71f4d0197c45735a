/** Who is to do a job: pure, decided by each proxy for itself. The store sees to it that it is one alone. */
import { type Claim, isInForce } from '../../topology/state/fleet.js';

/** Where nobody takes a job, the next one in its order does after so many milliseconds: not every proxy does each job. */
export const TURN_MS = 500;
/** A job moves when the members have been the same for so long: several often come at once. */
export const STEADY_MS = 2000;

export interface Situation {
  readonly me: string;
  /** The live members, the one whose job it is first. */
  readonly ranked: readonly string[];
  /** The claim that is in force, or null. */
  readonly held: Claim | null;
  /** The claim by which it is done here, or null. */
  readonly mine: Claim | null;
  readonly stays: boolean;
  /** Since when nobody has it, as far as it was seen; in milliseconds. */
  readonly freeFor: number;
  /** Since when the members are the same. */
  readonly steadyFor: number;
  /** The store is out of reach: nothing is heard of claims, and none can be made. */
  readonly isCutOff: boolean;
  /** It was let go for this first one before, who has not taken it. */
  readonly isDeclined: boolean;
}

export type Placement =
  | { readonly kind: 'leave' }
  | { readonly kind: 'claim' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'hand over'; readonly to: string }
  /** To be looked at again in so many milliseconds, if nothing happens before. */
  | { readonly kind: 'wait'; readonly milliseconds: number };

const LEAVE: Placement = { kind: 'leave' };

export function place(situation: Situation): Placement {
  const { me, ranked, held, mine, stays, freeFor, steadyFor, isCutOff, isDeclined } = situation;
  if (isCutOff) {
    // A claim that may have run out is not one that has: what clients wait for goes on until another one is known to
    // have it, who has the nodes drop the connections of this one first.
    return mine !== null && held !== null && !isInForce(mine, held) ? { kind: 'lost' } : LEAVE;
  }
  if (mine !== null && !isInForce(mine, held)) return { kind: 'lost' };
  const rank = ranked.indexOf(me);
  if (mine !== null) {
    const [first] = ranked;
    // One that is not alive itself leaves it to its lease.
    if (stays || isDeclined || rank <= 0 || first === undefined) return LEAVE;
    return steadyFor < STEADY_MS
      ? { kind: 'wait', milliseconds: STEADY_MS - steadyFor }
      : { kind: 'hand over', to: first };
  }
  if (rank < 0) return LEAVE;
  // Of this proxy, but nothing does it: what claimed it has ended without a word.
  if (held !== null) return held.holder === me ? { kind: 'claim' } : LEAVE;
  const wait = rank * TURN_MS - freeFor;
  return wait > 0 ? { kind: 'wait', milliseconds: wait } : { kind: 'claim' };
}
