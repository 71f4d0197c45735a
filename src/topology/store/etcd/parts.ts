import type { EtcdClient } from '../../../etcd/index.js';
import type { Timers } from '../../../time/timers.js';
import type { Clock } from './clock.js';
import type { RingKeys } from './keys.js';
import type { OwnLeases } from './own-leases.js';

/** What the parts of a store have in common. */
export interface EtcdParts {
  readonly client: EtcdClient;
  readonly keys: RingKeys;
  readonly leases: OwnLeases;
  readonly timers: Timers;
  readonly clock: Clock;
}
