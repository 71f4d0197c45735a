/** Composition: the certificates of what the proxy serves, in force and looked after. */
import type { AdminOptions } from '../admin/server.js';
import type { Config } from '../config/settings.js';
import { adminFiles, clientFiles, tlsRules } from '../config/tls.js';
import { parseAddress } from '../node/address.js';
import type { PlaneHost } from '../plane/host.js';
import type { TlsDoorOptions } from '../proxy/options.js';
import { Certificates } from '../tls/certificates.js';
import type { TlsMaterial } from '../tls/material.js';

export interface TlsParts {
  /** All certificates of this process: whoever needs some opens them here. */
  readonly certificates: Certificates;
  /** How clients come in by TLS; null: they do not. */
  readonly door: TlsDoorOptions | null;
  /** What callers of the admin API are shown; null: it is served by HTTP. */
  readonly admin: AdminOptions['tls'];
  /** As `admin`, with the certificates of the moment. */
  readonly adminMaterial: () => TlsMaterial | null;
  /** Shows clients new certificates when there are some. */
  watch(plane: Pick<PlaneHost, 'useCertificates'>): void;
  onAdminChange(listener: (material: TlsMaterial) => void): void;
}

/** @throws RingproxyError when certificates cannot be used */
export function composeTls(config: Config): TlsParts {
  const certificates = new Certificates();
  const rules = tlsRules(config);
  const listen = config.tlsListen === 'off' ? null : parseAddress(config.tlsListen);
  const forClients = clientFiles(config).map(({ files }) => certificates.open('clients', files));
  const materials = () => forClients.map(({ material }) => material);
  const named = adminFiles(config);
  const forAdmin = named === null ? null : certificates.open('admin', named.files);
  const { tlsClientAuth: clientAuth, tlsClientUser: clientUser, tlsHandshakeTimeout: handshakeTimeout } = config;
  return {
    certificates,
    door:
      listen === null ? null : { listen, clientAuth, clientUser, handshakeTimeout, rules, certificates: materials() },
    admin: forAdmin === null ? null : { material: forAdmin.material, rules, clientAuth: config.adminTlsClientAuth },
    adminMaterial: () => forAdmin?.material ?? null,
    watch(plane) {
      for (const files of forClients) files.onChange(() => plane.useCertificates(materials()));
    },
    onAdminChange(listener) {
      forAdmin?.onChange(listener);
    },
  };
}
