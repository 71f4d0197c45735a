import type { Address } from '../node/address.js';
import type { DataPlaneSettings } from './settings.js';

/** What the data plane is made with: its settings, and who it is. */
export interface DataPlaneOptions extends DataPlaneSettings {
  /** Names this proxy's connections at the nodes. */
  readonly proxyId: string;
  readonly version: string;
  /** `HOST:PORT` parsed, or a Unix socket's path. */
  readonly listen: Address;
  /** Called when a node knows a new connection by its name, before it carries commands: may end the process. */
  readonly mayServe: () => void;
}
