/**
 * Which copy of a key counts when a node has been restarted while keys move, and so may hold what it had in the
 * past (a snapshot): keys that have moved away since, also such that were deleted where they went.
 *
 * As long as neither end was restarted, a copy on the source is the valid one, since nobody writes a moved key there.
 */

/**
 * Where the valid copy of a key is, if there is one, as the proxy remembers it. `either`: it was sent from one of the two to
 * the other by a command that does all at once, and whose reply was lost.
 */
export type Place = 'source' | 'target' | 'either' | 'unknown';

/** Is told where copies are when a move fails half-way: what decides later hangs on it. */
export interface HalfMoved {
  /** The target has these; whether the source still has is not known. */
  onCopied(keys: readonly Buffer[]): void;
  /** They are where they were, or they have gone to the target. */
  onSent(keys: readonly Buffer[]): void;
}

/**
 * - `move`: the source's copy replaces the target's; where the source has none, what the target has stays.
 * - `move, clear`: the same, but where the source has none, the target's copy is from the past and is removed.
 * - `offer`: the source's copy counts only where the target has none.
 * - `drop`: the source's copy is removed, the target's stays.
 * - `drop both`: either copy may be from the past.
 */
export type Verdict = Moves | Drops;
export type Moves = 'move' | 'move, clear' | 'offer';
export type Drops = 'drop' | 'drop both';

/** A cache prefers a miss to a value from the past. */
export function verdictOn(place: Place, sourceRestarted: boolean, targetRestarted: boolean): Verdict {
  if (!sourceRestarted && !targetRestarted) return 'move';
  switch (place) {
    case 'source':
      // With the source alone restarted, a copy on the target is of a batch that was cut behind its RESTORE: newer.
      return targetRestarted ? 'move, clear' : 'offer';
    case 'target':
      return sourceRestarted ? 'drop' : 'offer';
    case 'either':
      if (!targetRestarted) return 'offer';
      return sourceRestarted ? 'drop both' : 'move';
    case 'unknown':
      if (!sourceRestarted) return 'move, clear';
      return targetRestarted ? 'drop both' : 'drop';
  }
}
