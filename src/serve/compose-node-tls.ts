/** Composition: what this proxy uses with nodes and Sentinels that speak TLS. */
import { nodeTlsFiles, sentinelTlsFiles } from '../config/node-tls-checks.js';
import type { Config } from '../config/settings.js';
import { NodeCredentials, type NodeTls } from '../node/tls.js';
import type { Certificates } from '../tls/certificates.js';
import { NO_MATERIAL, type TlsFiles, type TlsRules } from '../tls/material.js';

export interface NodeTlsNeeds {
  readonly config: Config;
  readonly certificates: Certificates;
  readonly rules: TlsRules;
  /** Files have changed: connections that are opened from now on have what they hold. */
  readonly onChange: (credentials: NodeCredentials) => void;
}

export interface NodeTlsParts {
  /** What is used with a node of this name. */
  readonly credentialsOf: (node: string) => NodeCredentials;
  /** How Sentinels are spoken to; undefined: not by TLS. */
  readonly sentinels: NodeTls | undefined;
}

/** @throws RingproxyError when files cannot be used */
export function composeNodeTls({ config, certificates, rules, onChange }: NodeTlsNeeds): NodeTlsParts {
  const open = (
    use: 'nodes' | 'sentinels',
    id: string,
    files: TlsFiles,
    changed: (credentials: NodeCredentials) => void,
  ): NodeCredentials => {
    if (Object.values(files).every((path) => path === '')) return new NodeCredentials(id, NO_MATERIAL, rules);
    const watched = certificates.open(use, files);
    const credentials = new NodeCredentials(id, watched.material, rules);
    watched.onChange((material) => {
      credentials.use(material);
      changed(credentials);
    });
    return credentials;
  };
  const ofAll = open('nodes', '', nodeTlsFiles(config), onChange);
  const own = new Map<string, NodeCredentials>();
  for (const { name, files } of config.nodes)
    if (files !== undefined) own.set(name, open('nodes', name, files, onChange));
  const { sentinelTls, sentinelTlsServerName: serverName } = config;
  return {
    credentialsOf: (node) => own.get(node) ?? ofAll,
    // No worker speaks to Sentinels, so nobody else has to be told of new files.
    sentinels: sentinelTls
      ? { serverName, credentials: open('sentinels', '', sentinelTlsFiles(config), () => {}) }
      : undefined,
  };
}
