import type { OutletPools } from '../io/outlet.js';
import type { Turn } from '../io/turn.js';
import type { Clock } from '../measure/clock.js';
import type { Counters } from '../measure/counters.js';
import type { DataPlaneOptions } from '../options.js';
import type { HoldPool } from '../request/hold.js';
import type { RequestPool } from '../request/request-pool.js';
import type { Users } from '../users/users.js';
import type { ClientConnection } from './client-connection.js';
import type { Framers } from './framers.js';
import type { Handshakes } from './handshakes.js';
import type { ClientLimits } from './limits/client-limits.js';
import type { Lingering } from './lingering.js';

/** What all clients of a data plane have in common. */
export interface ClientShared {
  readonly options: DataPlaneOptions;
  readonly turn: Turn;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly requests: RequestPool;
  readonly holds: HoldPool;
  readonly clientPools: OutletPools;
  /** Every client reads into this buffer: a chunk is handled before the next one is read. */
  readonly receiveBuffer: Buffer;
  readonly framers: Framers;
  readonly clients: Set<ClientConnection>;
  /** Takes the connections of those that the proxy ends. */
  readonly lingering: Lingering;
  /** Who may log in. */
  readonly users: Users;
  readonly handshakes: Handshakes;
  /** How much clients of one address, or user, may do. */
  readonly limits: ClientLimits;
}
