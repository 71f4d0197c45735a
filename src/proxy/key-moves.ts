/** Who waits for a key that moves: a client, whose next command is offered again then. */
export interface MoveWaiter {
  resumeSoon(): void;
}

/**
 * What the data plane asks about a moved key while keys move: may its command run on the target already?
 * Once a key was settled it stays so, because nobody writes a moved key to its source any more.
 */
export interface KeyMoves {
  /** Whether the key `buffer[start, end)` of the database is not on the node `source` any more. */
  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean;
  /**
   * The run id of the source's process as it was when keys began to move; empty when it is not known. A process that
   * was started since may hold what it had in the past: it is not asked about moved keys.
   */
  runIdOf(source: number): string;
  /** Sources without a moved key: all were moved, or the source is given up. */
  readonly sweptSources: readonly number[];
  /** The source has answered that it does not have the key: from now on it counts as settled. */
  noteGone(source: number, database: number, key: Buffer): void;
  /** Moves the key from `source` to `target`, and then resumes the client. Asking again for the same key does no harm. */
  settle(source: number, target: number, database: number, key: Buffer, client: MoveWaiter): void;
  /**
   * Lets no key be in flight until `releaseMoves`, for a command that looks at all nodes at once.
   * @returns false when some are: the client is resumed when it can ask again
   */
  holdMoves(client: MoveWaiter): boolean;
  releaseMoves(): void;
}

/** Everybody asks again; nobody waits any more. */
export function resumeAll(waiters: Set<MoveWaiter>): void {
  for (const waiter of waiters) waiter.resumeSoon();
  waiters.clear();
}
