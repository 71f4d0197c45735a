import type { TlsFiles } from '../tls/material.js';
import type { Config } from './settings.js';
import type { NamedFiles } from './tls.js';

/** What is used with nodes that have no files of their own. */
export function nodeTlsFiles({ nodeTlsCa: ca, nodeTlsCert: cert, nodeTlsKey: key }: Config): TlsFiles {
  return { ca, cert, key };
}

/** What is used with Sentinels. */
export function sentinelTlsFiles({ sentinelTlsCa: ca, sentinelTlsCert: cert, sentinelTlsKey: key }: Config): TlsFiles {
  return { ca, cert, key };
}

/** Those of Sentinels, of all nodes, and of each that has its own. */
export function allNodeFiles(config: Config): NamedFiles[] {
  const named = (prefix: string, files: TlsFiles): NamedFiles => ({
    files,
    roles: ['client'],
    paths: { ca: `${prefix}-ca`, cert: `${prefix}-cert`, key: `${prefix}-key` },
  });
  return [
    named('sentinel-tls', sentinelTlsFiles(config)),
    named('node-tls', nodeTlsFiles(config)),
    ...config.nodes.flatMap(({ files }, index) => (files === undefined ? [] : [named(`nodes[${index}].tls`, files)])),
  ];
}
