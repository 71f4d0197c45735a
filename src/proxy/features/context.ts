import type { ValueStore } from '../../fleet/values/store.js';
import type { HotKeys } from '../measure/hot-keys/hot-keys.js';
import type { FleetPort } from '../peers/fleet.js';
import type { Peers } from '../peers/peers.js';
import type { SubscriptionBoard } from '../peers/subscription-board.js';
import type { ClientShared } from '../session/session-shared.js';
import type { ScriptPeers } from './scripts/script-store.js';

/** What the commands that the proxy answers itself need to know. */
export interface LocalContext {
  readonly shared: ClientShared;
  /** Which keys are used most. */
  readonly hotKeys: HotKeys;
  /** The version of Redis that clients are told, that of the nodes. */
  redisVersion(): string;
  /** Lines of INFO's section on the proxy, `name:value`. */
  proxyInfo(): string[];
  /** Clients of all processes of the proxy, as far as it is known how many others have. */
  allClients(): number;
  /** Other processes of the proxy, which serve further clients; null: there are none. */
  readonly peers: Peers | null;
  /** What the other processes are about to subscribe to; null: there are none. */
  readonly board: SubscriptionBoard | null;
  /** Other processes of the proxy, which know further scripts; null: there are none. */
  readonly scriptPeers: ScriptPeers | null;
  /** Values that every process of every proxy has. */
  readonly values: ValueStore;
  /** Other proxies of the ring; null: there are none. */
  readonly fleet: FleetPort | null;
}
