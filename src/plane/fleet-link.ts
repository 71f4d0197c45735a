/** How the data plane hears of other proxies of its ring, and they of it: soft state, which may be late. */
import type { ScriptPeers } from '../proxy/features/scripts/script-store.js';
import type { FleetSubscribers, ProxyTopic } from '../proxy/peers/fleet.js';

export interface FleetLink {
  readonly subscribers: FleetSubscribers;
  /** Tells what has changed of this proxy's topics. */
  tell(topics: readonly ProxyTopic[]): void;
  readonly scripts: ScriptPeers;
}
