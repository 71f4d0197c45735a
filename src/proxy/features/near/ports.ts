import type { Invalidations } from '../../invalidations/invalidations.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { QueuedKeys } from '../queued-keys.js';

/** What `near` needs of others. */
export interface NearPorts {
  readonly router: Router;
  readonly invalidations: Invalidations;
  /** Bytes that kept replies may take. */
  readonly memory: number;
  /** Whether nodes may have times of expiry for fields of hashes. */
  readonly fieldsMayEnd: () => boolean;
  /**
   * A GET of the client of the key `source[start, end)` could be answered from here.
   * @param left milliseconds until the key expires
   * @returns whether the client is to see a miss instead, and fill the key before it expires
   */
  readonly isEarly: (client: ClientConnection, source: Buffer, start: number, end: number, left: number) => boolean;
  /** The keys of what the client has queued since MULTI; null: it is in no transaction. */
  readonly queuedBy: (client: ClientConnection) => QueuedKeys | null;
}
