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
  /** The keys of what the client has queued since MULTI; null: it is in no transaction. */
  readonly queuedBy: (client: ClientConnection) => QueuedKeys | null;
}
