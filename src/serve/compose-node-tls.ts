/** Composition: what this proxy uses with nodes that speak TLS. */
import { nodeTlsFiles } from '../config/node-tls-checks.js';
import type { Config } from '../config/settings.js';
import { NodeCredentials } from '../node/tls.js';
import type { Certificates } from '../tls/certificates.js';
import { NO_MATERIAL, type TlsFiles, type TlsRules } from '../tls/material.js';

export interface NodeTlsNeeds {
  readonly config: Config;
  readonly certificates: Certificates;
  readonly rules: TlsRules;
  /** Files have changed: connections that are opened from now on have what they hold. */
  readonly onChange: (credentials: NodeCredentials) => void;
}

/** @returns what is used with a node of this name @throws RingproxyError when files cannot be used */
export function composeNodeTls({
  config,
  certificates,
  rules,
  onChange,
}: NodeTlsNeeds): (node: string) => NodeCredentials {
  const open = (id: string, files: TlsFiles): NodeCredentials => {
    if (Object.values(files).every((path) => path === '')) return new NodeCredentials(id, NO_MATERIAL, rules);
    const watched = certificates.open('nodes', files);
    const credentials = new NodeCredentials(id, watched.material, rules);
    watched.onChange((material) => {
      credentials.use(material);
      onChange(credentials);
    });
    return credentials;
  };
  const ofAll = open('', nodeTlsFiles(config));
  const own = new Map<string, NodeCredentials>();
  for (const { name, files } of config.nodes) if (files !== undefined) own.set(name, open(name, files));
  return (node) => own.get(node) ?? ofAll;
}
