/** Composition: the certificates of what the proxy serves, in force and looked after. */
import type { Config } from '../config/settings.js';
import { clientFiles, tlsRules } from '../config/tls.js';
import { parseAddress } from '../node/address.js';
import type { PlaneHost } from '../plane/host.js';
import type { TlsDoorOptions } from '../proxy/options.js';
import { Certificates } from '../tls/certificates.js';

export interface TlsParts {
  /** All certificates of this process: whoever needs some opens them here. */
  readonly certificates: Certificates;
  /** How clients come in by TLS; null: they do not. */
  readonly door: TlsDoorOptions | null;
  /** Shows clients new certificates when there are some. */
  watch(plane: Pick<PlaneHost, 'useCertificates'>): void;
}

/** @throws RingproxyError when certificates cannot be used */
export function composeTls(config: Config): TlsParts {
  const certificates = new Certificates();
  const listen = config.tlsListen === 'off' ? null : parseAddress(config.tlsListen);
  if (listen === null) return { certificates, door: null, watch: () => {} };
  const watched = clientFiles(config).map(({ files }) => certificates.open('clients', files));
  const materials = () => watched.map(({ material }) => material);
  const { tlsClientAuth: clientAuth, tlsHandshakeTimeout: handshakeTimeout } = config;
  return {
    certificates,
    door: { listen, clientAuth, handshakeTimeout, rules: tlsRules(config), certificates: materials() },
    watch(plane) {
      for (const files of watched) files.onChange(() => plane.useCertificates(materials()));
    },
  };
}
