import { RingproxyError } from '../../errors.js';
import type { Mover } from '../../rebalance/mover.js';
import { buildRing } from '../../ring/build.js';
import type { Ring } from '../../ring/ring.js';
import { overNodes } from '../../ring/union.js';
import { type Member, type RingState, type RunningChange, unionOf } from '../state/ring-state.js';

/** A change that is under way, with what carries it out. */
export interface Running {
  change: RunningChange;
  readonly union: readonly Member[];
  readonly ring: Ring;
  readonly nextRing: Ring;
  readonly plainNextRing: Ring;
  mover: Mover | null;
  keysEstimated: number;
  /** Why the change cannot be finished yet, or null. */
  failure: string | null;
}

/**
 * @param finishing whether everything has moved, and that is being recorded
 * @throws RingproxyError when the change cannot be turned round
 */
export function refuseTurning({ change }: Running, finishing: boolean): void {
  if (finishing) {
    throw new RingproxyError('CANNOT_CANCEL', 'everything has moved already, that is being recorded');
  }
  if (change.undrained.length > 0) {
    throw new RingproxyError(
      'CANNOT_CANCEL',
      'nodes that were given up cannot come back',
      'add them again when it is done',
    );
  }
}

/** @param ring that of `state` */
export async function planChange(change: RunningChange, state: RingState, ring: Ring): Promise<Running> {
  const union = unionOf(state.members, change.members);
  const plainNextRing = await buildRing(change.members, state.options);
  return {
    change,
    union,
    ring: overNodes(ring, union),
    nextRing: overNodes(plainNextRing, union),
    plainNextRing,
    mover: null,
    keysEstimated: 0,
    failure: null,
  };
}
