import type { Address } from '../node/address.js';
import type { Standing } from '../node/standing.js';
import type { TlsMaterial, TlsRules } from '../tls/material.js';
import type { DataPlaneSettings } from './settings.js';

/** How clients come in by TLS. */
export interface TlsDoorOptions {
  readonly listen: Address;
  readonly clientAuth: 'none' | 'optional' | 'required';
  /** `cn`: a client is the user whose name is the common name of the certificate that it has shown. */
  readonly clientUser: 'none' | 'cn';
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  readonly rules: TlsRules;
  /** The first one is shown to whoever asks for no name that another one has. */
  readonly certificates: readonly TlsMaterial[];
}

/** What the data plane is made with: its settings, and who it is. */
export interface DataPlaneOptions extends DataPlaneSettings {
  /** Tells this process from others, from its start to its end. */
  readonly proxyId: string;
  readonly version: string;
  /** `HOST:PORT` parsed, or a Unix socket's path; null: clients come in by TLS alone. */
  readonly listen: Address | null;
  /** Null: TLS is not spoken with clients. */
  readonly tls: TlsDoorOptions | null;
  /** By what right it speaks to nodes; its connections there bear the id of this. */
  readonly standing: Standing;
}
