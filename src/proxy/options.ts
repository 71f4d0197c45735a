import type { Address } from '../node/address.js';
import type { Standing } from '../node/standing.js';
import type { DataPlaneSettings } from './settings.js';

/** What the data plane is made with: its settings, and who it is. */
export interface DataPlaneOptions extends DataPlaneSettings {
  /** Tells this process from others, from its start to its end. */
  readonly proxyId: string;
  readonly version: string;
  /** `HOST:PORT` parsed, or a Unix socket's path. */
  readonly listen: Address;
  /** By what right it speaks to nodes; its connections there bear the id of this. */
  readonly standing: Standing;
}
