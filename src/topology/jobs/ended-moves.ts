/**
 * Moves of a change that have ended at this proxy while the change goes on, since their claims were lost. Whoever moves the
 * keys of such a source next has the nodes drop what is left of them; but nobody may have it yet when the change is turned
 * round, and then keys go the other way at once. So before this proxy says that it moves nothing, they are over.
 */
import { unlessNobodyListens } from '../../node/failure.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { LATE, within } from '../../time/within.js';
import type { Claim } from '../state/fleet.js';
import type { Member } from '../state/ring-state.js';
import type { SourceMove } from './source-move.js';

/** Makes a node drop the connections of those that moved the source's keys by a claim before this one. @throws when it cannot be asked */
export type DropEarlier = (node: Member, source: number, claim: Claim) => Promise<void>;

export class EndedMoves {
  readonly #timers: Pick<Timers, 'after'>;
  /** Those that have keys under way yet. */
  readonly #ending = new Set<Promise<void>>();
  /** The last claim, by source, by which something was sent that may still lie at a node. */
  readonly #late = new Map<number, Claim>();

  constructor(timers: Pick<Timers, 'after'> = systemTimers) {
    this.#timers = timers;
  }

  /** Ends a move. @returns when nothing of it is under way here any more */
  async end(move: SourceMove): Promise<void> {
    const ended = move.halt();
    this.#ending.add(ended);
    try {
      await ended;
    } finally {
      // Noted first: between the two it would seem to be over.
      if (move.leavesLate) this.#late.set(move.index, move.claim);
      this.#ending.delete(ended);
    }
  }

  /** @param timeout milliseconds @returns whether none has keys under way any more */
  async areOver(timeout: number): Promise<boolean> {
    return this.#ending.size === 0 || (await within(timeout, Promise.all(this.#ending), this.#timers)) !== LATE;
  }

  /** Makes the nodes drop what may still lie there. @throws when one cannot be asked */
  async dropLate(nodes: readonly Member[], drop: DropEarlier): Promise<void> {
    for (const [source, claim] of this.#late) {
      // What comes behind this claim is not concerned.
      const next = { ...claim, revision: claim.revision + 1 };
      for (const node of nodes) {
        await unlessNobodyListens(drop(node, source, next));
      }
      this.#late.delete(source);
    }
  }
}
