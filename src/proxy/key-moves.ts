import type { ClientConnection } from './client/client-connection.js';

/**
 * What the data plane asks about a moved key while keys move: may its command run on the target already?
 * Once a key was settled it stays so, because nobody writes a moved key to its source any more.
 */
export interface KeyMoves {
  /** Whether the key `buffer[start, end)` of the database is not on the node `source` any more. */
  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean;
  /** Moves the key from `source` to `target`, and then resumes the client. Asking again for the same key does no harm. */
  settle(source: number, target: number, database: number, key: Buffer, client: ClientConnection): void;
}
